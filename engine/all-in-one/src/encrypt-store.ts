import type { AcquireShared } from '@kre/admin-api'
import { openKeyRing } from '@kre/service-kit/secrets'
import type { Logger } from '@kre/service-kit'
import { hasSealedValues, sealStore, type KeyKeeper, type Store } from '@kre/store'
import type { Config } from './config.ts'
import { MASTER_KEYS, shareKeys } from './share-keys.ts'

/**
 * Encrypts the configuration in a store with the engine's master key, and what is plain text in there now.
 *
 * @param acquire keeps other engines on the store from changing keys meanwhile.
 * @throws KreError `failed-precondition` for a master key that is missing, damaged, unsafe or another one.
 */
export async function encryptStore(
  raw: Store,
  { masterKey, dataDir }: Pick<Config, 'masterKey' | 'dataDir'>,
  logger: Logger,
  acquire: AcquireShared,
): Promise<{ store: Store; keys: KeyKeeper }> {
  const release = await acquire(MASTER_KEYS)
  try {
    const opened = await openKeyRing({ ...masterKey, dataDir }, () => hasSealedValues(raw))
    const { store, keys, report } = await sealStore(raw, opened)
    const { sealed, rewrapped, corrupt } = report
    if (sealed + rewrapped > 0) logger.info({ sealed, rewrapped }, 'configuration values encrypted')
    if (corrupt.length > 0)
      logger.error({ values: corrupt }, 'SECRET_CORRUPT: configuration values that can not be read')
    const shared = shareKeys({ config: store.config, keys }, { acquire, reload: opened.reload })
    return { store: { ...store, config: shared.config }, keys: shared.keys }
  } finally {
    await release()
  }
}
