/**
 * Interpreters for Python nodes: a virtual environment per content of `requirements.txt`, built once and kept under
 * `<cache>/<hash>/<attempt>`. Environments can't be moved, so a build works in its own final folder, and a marker
 * written last says which attempt is whole: two builds at once, or a build that was cut off, do no harm.
 */
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { KreError, MINUTE_MS } from '@kre/contracts'
import { writeAtomically } from './state-files.ts'

/** The worker's own need: the newest line that runs on Python 3.9. */
const PROTOBUF_PIN = 'protobuf==6.33.6'
/** With other packages the resolver chooses; the generated modules work with all of these. */
export const PROTOBUF_RANGE = 'protobuf>=4.21,<8'
/** Big packages over a slow line; beyond it something hangs. */
const INSTALL_TIMEOUT_MS = 20 * MINUTE_MS
/** Lines of pip's complaint in a reason. */
const COMPLAINT_LINES_MAX = 5

export type PythonEnvironments = {
  /**
   * @param bundleDir its `requirements.txt` counts; relative paths in there start here.
   * @param report is told what happens, for people who wait.
   * @returns path of the interpreter.
   * @throws KreError `failed-precondition` with pip's last lines.
   */
  ensure(bundleDir: string, report: (message: string) => void): Promise<string>
}

export function createPythonEnvironments(options: {
  cacheDir: string
  /** Name or path of the system's interpreter. */
  python: string
  /** PATH, HOME, and pip's own variables. */
  env: Readonly<Record<string, string>>
  /** Ends a build under way. */
  signal: AbortSignal
}): PythonEnvironments {
  const builds = new Map<
    string,
    { promise: Promise<string>; listeners: Set<(m: string) => void> }
  >()
  let interpreterVersion: Promise<string> | null = null

  return {
    async ensure(bundleDir, report) {
      interpreterVersion ??= findVersion(options)
      const version = await interpreterVersion.catch((error: unknown) => {
        // Python may be installed meanwhile.
        interpreterVersion = null
        throw error
      })
      const requirements = await readRequirements(bundleDir)
      const key = environmentKey(version, requirements, bundleDir)
      const home = join(options.cacheDir, key)
      const known = findComplete(home)
      if (known !== null) return known
      let build = builds.get(key)
      if (build === undefined) {
        const listeners = new Set<(m: string) => void>()
        const tell = (message: string) => listeners.forEach((listener) => listener(message))
        const promise = buildEnvironment(options, home, bundleDir, requirements, tell).finally(() =>
          builds.delete(key),
        )
        builds.set(key, (build = { promise, listeners }))
      }
      build.listeners.add(report)
      return build.promise
    },
  }
}

/** Equal for bundles whose environments would be equal. */
export function environmentKey(
  pythonVersion: string,
  requirements: string | null,
  bundleDir: string,
): string {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([pythonVersion, packagesFor(requirements), requirements]))
  // The text alone does not decide what files beside it hold.
  if (requirements !== null && namesFiles(requirements)) hash.update(bundleDir)
  return hash.digest('hex').slice(0, 24)
}

function namesFiles(requirements: string): boolean {
  return requirements
    .split('\n')
    .some((line) => /^\s*(-r|-c|-e|--requirement|--constraint|--editable|\.|\/)|file:/.test(line))
}

function packagesFor(requirements: string | null): string {
  return requirements === null ? PROTOBUF_PIN : PROTOBUF_RANGE
}

type BuildOptions = Parameters<typeof createPythonEnvironments>[0]

async function buildEnvironment(
  options: BuildOptions,
  home: string,
  bundleDir: string,
  requirements: string | null,
  report: (message: string) => void,
): Promise<string> {
  const attempt = randomUUID().slice(0, 8)
  const dir = join(home, attempt)
  // What a killed engine left half-built.
  await rm(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  try {
    report('creating a Python environment')
    await runTool(options, bundleDir, options.python, ['-m', 'venv', dir], report)
    const python = join(dir, 'bin', 'python')
    const wanted = requirements === null ? [] : ['-r', join(bundleDir, 'requirements.txt')]
    const install = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check']
    report(`installing ${requirements === null ? 'protobuf' : 'requirements.txt'}`)
    await runTool(
      options,
      bundleDir,
      python,
      [...install, '--progress-bar', 'off', ...wanted, packagesFor(requirements)],
      report,
    )
    writeAtomically(join(home, 'complete'), attempt)
    return python
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}

/** @throws KreError `failed-precondition`: what failed, the tool's own words, what to do. */
export async function runTool(
  options: Pick<BuildOptions, 'env' | 'signal'>,
  cwd: string,
  file: string,
  args: readonly string[],
  report: (message: string) => void,
): Promise<string[]> {
  const lines: string[] = []
  const isPip = args.includes('pip')
  const child = spawn(file, args, {
    cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(INSTALL_TIMEOUT_MS)]),
  })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      if (line.trim() === '') return
      lines.push(line)
      if (lines.length > 100) lines.shift()
      if (isPip) report(line.trim())
    })
  const problem = await new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? null : `exit code ${code}`))
  })
  if (problem === null) return lines
  const words = complaint(lines).replaceAll(join(cwd, '/'), '')
  throw new KreError(
    'failed-precondition',
    `${isPip ? 'the Python packages of requirements.txt could not be installed' : `a Python environment could not be created with "${file}" (on Debian, the package python3-venv is needed)`}: ${words === '' ? problem : words}`,
  )
}

/** pip says the reason in lines with ERROR; without them its last lines must do. */
function complaint(lines: readonly string[]): string {
  const errors = lines.filter((line) => /error/i.test(line))
  return (errors.length > 0 ? errors : lines).slice(-COMPLAINT_LINES_MAX).join('\n')
}

async function findVersion(options: BuildOptions): Promise<string> {
  const print = 'import sys, platform; print(sys.version, sys.executable, platform.machine())'
  const lines = await runTool(options, '/', options.python, ['-c', print], () => undefined)
  return lines.join('\n')
}

async function readRequirements(bundleDir: string): Promise<string | null> {
  const path = join(bundleDir, 'requirements.txt')
  return existsSync(path) ? readFile(path, 'utf8') : null
}

/** The interpreter of a whole environment; null = none, or somebody emptied the cache. */
function findComplete(home: string): string | null {
  const marker = join(home, 'complete')
  if (!existsSync(marker)) return null
  const python = join(home, readFileSync(marker, 'utf8'), 'bin', 'python')
  return existsSync(python) ? python : null
}
