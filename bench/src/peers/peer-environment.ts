/** Virtual environments of peers: made once for each set of pins, kept in the cache of the checkout. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = resolve(import.meta.dirname, '../../../.kre/cache/bench-peers')
/** Ray is large. */
const INSTALL_MS_MAX = 600_000

/**
 * @param folder of the peer, with its requirements.txt.
 * @returns the Python interpreter.
 * @throws Error in pip's words when it can't be installed.
 */
export async function preparePeer(
  name: string,
  folder: string,
  signal: AbortSignal,
): Promise<string> {
  const requirements = join(folder, 'requirements.txt')
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  const environment = join(cache, `${name}-${digest.slice(0, 16)}`)
  const python = join(environment, 'bin/python')
  const ready = join(environment, 'ready')
  if (existsSync(ready)) return python
  await mkdir(environment, { recursive: true })
  const options = { signal, timeout: INSTALL_MS_MAX }
  await run('python3', ['-m', 'venv', '--clear', environment], options)
  await run(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], options)
  await writeFile(ready, '')
  return python
}
