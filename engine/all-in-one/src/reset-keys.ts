/** The way out of a lost master key or pepper: what needed it is given up, the engine starts again. */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { takeOverPepper } from '@kre/admin-api'
import { KreError } from '@kre/contracts'
import { openKeyRing, type KeyRing } from '@kre/service-kit/secrets'
import type { Logger } from '@kre/service-kit'
import { unsetUnreadable } from '@kre/store'
import { claimDataDir } from './claim-data-dir.ts'
import type { Config } from './config.ts'
import { openStore } from './open-store.ts'
import { resetPepper } from './read-secrets.ts'

/** What became of the keys. */
export type KeysReset = {
  /** `runtime/version/KEY` of each value that is gone. */
  unset: string[]
  pepper: 'kept' | 'made' | 'taken'
}

/**
 * Unsets every configuration value that the master key can't open, and goes on with the pepper that is there. A file of
 * the engine's own that is missing is made anew, one that is damaged is put aside as `master-key.damaged`,
 * `pepper.damaged`.
 *
 * @throws DataDirBusy while an engine has the folder.
 */
export async function resetKeys(config: Config, logger: Logger): Promise<KeysReset> {
  const { dataDir } = config
  const claim = await claimDataDir(dataDir)
  try {
    await using store = await openStore(config, logger, { isAlone: false })
    const unset = await unsetUnreadable(store, await openOrMakeRing(config))
    const { audit } = store
    const { pepper, became } = await resetPepper({
      dataDir,
      given: config.target.secretFiles,
      audit,
    })
    await takeOverPepper({ audit, now: () => new Date() }, pepper)
    return { unset, pepper: became }
  } finally {
    await claim.release()
  }
}

async function openOrMakeRing({ dataDir, masterKey }: Config): Promise<KeyRing> {
  const open = () => openKeyRing({ ...masterKey, dataDir }, async () => false)
  const { ring } = await open().catch(async (error: unknown) => {
    const isOwnFile = masterKey.text === null && masterKey.file === null
    if (!(error instanceof KreError) || !isOwnFile) throw error
    await rename(join(dataDir, 'master-key'), join(dataDir, 'master-key.damaged'))
    return open()
  })
  return ring
}
