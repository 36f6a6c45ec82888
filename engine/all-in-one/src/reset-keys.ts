/** The way out of a lost master key: what it encrypted is given up, the engine starts again. */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { openKeyRing } from '@kre/service-kit/secrets'
import type { Logger } from '@kre/service-kit'
import { unsetUnreadable } from '@kre/store'
import { claimDataDir } from './claim-data-dir.ts'
import type { Config } from './config.ts'
import { openStore } from './open-store.ts'

/**
 * Unsets every configuration value that the master key can't open. A key file of the engine's own that is missing is
 * made anew, one that is damaged is put aside as `master-key.damaged`.
 *
 * @returns `runtime/version/KEY` of each value that is gone.
 * @throws DataDirBusy while an engine has the folder.
 */
export async function resetKeys(config: Config, logger: Logger): Promise<string[]> {
  const { dataDir, masterKey } = config
  const claim = await claimDataDir(dataDir)
  try {
    await using store = await openStore(config, logger, { isAlone: false })
    const open = () => openKeyRing({ ...masterKey, dataDir }, async () => false)
    const { ring } = await open().catch(async (error: unknown) => {
      const isOwnFile = masterKey.text === null && masterKey.file === null
      if (!(error instanceof KreError) || !isOwnFile) throw error
      await rename(join(dataDir, 'master-key'), join(dataDir, 'master-key.damaged'))
      return open()
    })
    return await unsetUnreadable(store, ring)
  } finally {
    await claim.release()
  }
}
