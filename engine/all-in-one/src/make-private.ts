import { access, chmod, constants, mkdir } from 'node:fs/promises'
import { KreError } from '@kre/contracts'

/** @throws KreError `failed-precondition` when the folder can't be made or written. */
export async function makePrivate(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    await chmod(dataDir, 0o700)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new KreError(
      'failed-precondition',
      `the data folder ${dataDir} can't be used: ${why}. Choose another with --data`,
      {},
      { cause: error },
    )
  }
}
