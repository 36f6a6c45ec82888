import { KreError } from '@kre/contracts'
import { isSealed, type KeyRing, openSealed, sealValue } from '@kre/service-kit/secrets'
import type { ConfigEntry, ConfigStore } from '../ports/store.ts'

/**
 * A configuration store that keeps values encrypted in another one, whatever that is made of. Nobody but the other
 * store sees the encrypted form; an empty value, which is none, stays empty. What is not encrypted yet reads as it is.
 */
export function createSealedConfigStore(inner: ConfigStore, ring: KeyRing): ConfigStore {
  return {
    async get(runtimeId, version, options = {}) {
      const entries = await inner.get(runtimeId, version, options)
      return entries.flatMap((entry) => {
        const opened = openEntry(ring, runtimeId, version, entry)
        if (opened instanceof KreError) {
          if (options.leaveOutDamaged === true) return []
          throw opened
        }
        return [{ ...entry, value: opened }]
      })
    },
    set(runtimeId, version, entries, ifGeneration) {
      const sealed = entries.map((entry) => ({
        ...entry,
        value: sealEntryValue(ring, runtimeId, version, entry.key, entry.value),
      }))
      return inner.set(runtimeId, version, sealed, ifGeneration)
    },
    async replaceValue(runtimeId, version, key, from, to) {
      const stored = (await inner.get(runtimeId, version)).find((entry) => entry.key === key)
      if (stored === undefined || openEntry(ring, runtimeId, version, stored) !== from) return false
      const sealed = sealEntryValue(ring, runtimeId, version, key, to)
      return inner.replaceValue(runtimeId, version, key, stored.value, sealed)
    },
    eraseReplaced: () => inner.eraseReplaced(),
    generation: (runtimeId, version) => inner.generation(runtimeId, version),
    remove: (runtimeId, version) => inner.remove(runtimeId, version),
  }
}

export function sealEntryValue(
  ring: KeyRing,
  runtimeId: string,
  version: string,
  key: string,
  value: string,
): string {
  return value === '' ? '' : sealValue(ring, placeOf(runtimeId, version, key), value)
}

/** The value, or why there is none. Neither says anything of the value. */
function openEntry(
  ring: KeyRing,
  runtimeId: string,
  version: string,
  { key, value }: ConfigEntry,
): string | KreError {
  if (!isSealed(value)) return looksSealed(value) ? corrupt(runtimeId, version, key) : value
  const opened = openSealed(ring, placeOf(runtimeId, version, key), value)
  if (opened.ok) return opened.value
  return opened.reason === 'corrupt'
    ? corrupt(runtimeId, version, key)
    : missingKey(runtimeId, version, key, opened.masterKeyId)
}

/** Cut off or changed so much that the form is lost: no value of before encryption begins so. */
export function looksSealed(value: string): boolean {
  return /^kre1:[0-9a-f]{16}:/.test(value)
}

function placeOf(runtimeId: string, version: string, key: string): readonly string[] {
  return ['config', runtimeId, version, key]
}

function corrupt(runtimeId: string, version: string, key: string): KreError {
  return new KreError(
    'failed-precondition',
    `SECRET_CORRUPT: the stored value of "${key}" of version "${version}" of runtime "${runtimeId}" was changed or belongs elsewhere: set it again ("krectl config set ${version} -r ${runtimeId} ${key}=-"), or restore the engine's data from a backup`,
    { reason: 'SECRET_CORRUPT', runtimeId, version, key },
  )
}

function missingKey(runtimeId: string, version: string, key: string, keyId: string): KreError {
  return new KreError(
    'failed-precondition',
    `SECRET_CORRUPT: the stored value of "${key}" of version "${version}" of runtime "${runtimeId}" needs the master key ${keyId}, which is not here: add it to the master keys, or set the value again`,
    { reason: 'SECRET_CORRUPT', runtimeId, version, key, keyId },
  )
}
