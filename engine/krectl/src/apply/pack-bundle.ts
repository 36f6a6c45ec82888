import { stat } from 'node:fs/promises'
import { formatIssue, toKreError } from '@kre/contracts'
import { fetchModels } from '../bundle/fetch-models.ts'
import type { Context } from '../context.ts'

export type PackedBundle = {
  /** Of the version, as the manifest has it. */
  readonly name: string
  /** sha256 of the canonical archive, which the engine makes the same of. */
  readonly digest: string
  readonly file: string
  /** Keys of the configuration that the manifest declares. */
  readonly declared: ReadonlySet<string>
}
type PackContext = Pick<Context, 'root' | 'environment' | 'output' | 'signal'> & {
  scratchDir: string
}

/**
 * Checks a folder or a `.krt` file and writes its canonical archive into the scratch folder.
 *
 * @param at where the document names it, for problems.
 * @returns null when it is not valid, which becomes a problem.
 */
export async function packBundle(
  path: string,
  at: string,
  context: PackContext,
  problems: string[],
): Promise<PackedBundle | null> {
  const { scratchDir, signal } = context
  try {
    const kind = await stat(path).catch(unlessMissing)
    if (kind === null) {
      problems.push(`${at}: there is no file or folder ${path}`)
      return null
    }
    if (kind.isDirectory()) await fetchModels(path, context)
    const source = kind.isDirectory() ? { directory: path } : { file: path }
    const { ingestBundle } = await import('@kre/bundle')
    const result = await ingestBundle(source, { scratchDir, signal })
    if (result.ok) {
      const { facts, digest, file } = result
      const { variables, files } = facts.manifest.config
      const declared = new Set([...variables, ...files])
      return { name: facts.manifest.version, digest, file, declared }
    }
    problems.push(
      `${at}: ${path} is not a valid bundle`,
      ...result.issues.map((issue) => `  ${formatIssue(issue)}`),
    )
  } catch (error) {
    if (signal.aborted) throw error
    problems.push(`${at}: ${toKreError(error).message}`)
  }
  return null
}

function unlessMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}
