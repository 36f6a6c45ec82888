import { open, rm } from 'node:fs/promises'
import { UsageError } from './exit-code.ts'

/**
 * Writes a secret into a new file that only its owner may read. The file is made first: a secret that is told only once
 * must not be lost because there is no place for it.
 *
 * @param makeSecret is called once the file is there; when it fails, the file is gone again.
 * @throws UsageError when there is a file of that name, or none can be made.
 */
export async function writeNewPrivate(
  path: string,
  makeSecret: () => Promise<string>,
): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${path} can't be made: ${why}`, { cause: error })
  })
  try {
    await file.writeFile(`${await makeSecret()}\n`)
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}
