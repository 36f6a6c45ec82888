import { toKreError } from '@kre/contracts'
import type { AcquireShared } from '@kre/admin-api'
import type { ConfigStore, KeyKeeper } from '@kre/store'

/** Of whoever writes encrypted values, or changes the keys that they need. */
export const MASTER_KEYS = 'master-keys'

/**
 * Encrypted values of engines that change the master keys beside each other: nobody encrypts with a key that another
 * engine has just dropped, and who meets a key that it does not know looks for it.
 *
 * @param deps.reload takes over the keys as they are on the disk.
 */
export function shareKeys(
  inner: { config: ConfigStore; keys: KeyKeeper },
  deps: { acquire: AcquireShared; reload: () => Promise<void> },
): { config: ConfigStore; keys: KeyKeeper } {
  const { config, keys } = inner
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const release = await deps.acquire(MASTER_KEYS)
    try {
      await deps.reload()
      return await work()
    } finally {
      await release()
    }
  }
  return {
    config: {
      ...config,
      async get(...args) {
        try {
          return await config.get(...args)
        } catch (error) {
          if (toKreError(error).details['keyId'] === undefined) throw error
          await deps.reload()
          return config.get(...args)
        }
      },
      set: (...args) => inTurn(() => config.set(...args)),
      replaceValue: (...args) => inTurn(() => config.replaceValue(...args)),
    },
    keys: { status: () => keys.status(), rotate: () => inTurn(() => keys.rotate()) },
  }
}
