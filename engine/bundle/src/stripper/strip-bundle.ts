/**
 * Code of a bundle in TypeScript, as JavaScript: once for all processes that run it. The compiler that strips types is a
 * program in WebAssembly which stays in memory, 12 MiB, and reads what strangers wrote: so it runs in a process that ends.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { KreError, MiB, SECOND_MS, toKreError } from '@kre/contracts/pod'
import { readBundleFiles } from '../read-bundle-files.ts'

/** Some ms each; processes strip themselves what is beyond these. */
const FILES_MAX = 500
const FILE_BYTES_MAX = 1 * MiB
const BYTES_MAX = 8 * MiB
/** JSON of the code, where each sign may take six. */
const ANSWER_BYTES_MAX = 6 * BYTES_MAX
const TIMEOUT_MS = 30 * SECOND_MS
const SOURCE = /(?<!\.d)\.[mc]?ts$/
const PROGRAM = fileURLToPath(new URL('main.ts', import.meta.url))
const NODE_FLAGS = ['--max-old-space-size=256', '--no-warnings', '--disable-proto=delete']

/**
 * @param archive path of the canonical archive.
 * @param files paths of all files in it.
 * @returns code by path, with every character that is left at its place; without what can't be stripped.
 * @throws KreError `failed-precondition` for a damaged archive, `unavailable` when the process comes to nothing.
 */
export async function stripBundle(
  archive: string,
  files: readonly string[],
): Promise<Map<string, string>> {
  const paths = files.filter((path) => SOURCE.test(path)).slice(0, FILES_MAX)
  if (paths.length === 0) return new Map()
  const limits = { fileBytesMax: FILE_BYTES_MAX, bytesMax: BYTES_MAX }
  const sources = await readBundleFiles(archive, new Set(paths), limits)
  const texts = [...sources].map(([path, bytes]) => [path, bytes.toString('utf8')] as const)
  return new Map(await strip(texts))
}

async function strip(texts: readonly (readonly [string, string])[]): Promise<[string, string][]> {
  const options = { env: {}, timeout: TIMEOUT_MS, maxBuffer: ANSWER_BYTES_MAX }
  try {
    const running = promisify(execFile)(process.execPath, [...NODE_FLAGS, PROGRAM], options)
    // One that has died says so by its exit.
    running.child.stdin?.on('error', () => undefined).end(JSON.stringify(texts))
    return JSON.parse((await running).stdout) as [string, string][]
  } catch (error) {
    throw new KreError(
      'unavailable',
      `the process that strips types came to nothing: ${toKreError(error).message}`,
      {},
      { cause: error },
    )
  }
}
