import { isSealed, type KeyRing, masterKeyIdOf, openSealed, rewrap } from '@kre/service-kit/secrets'
import type { Store } from '../ports/store.ts'
import { looksSealed, sealEntryValue } from './sealed-config-store.ts'

export type ResealReport = {
  /** Values that had been plain text. */
  sealed: number
  /** Values whose data key an older master key had wrapped. */
  rewrapped: number
  /** Left as they are: `runtime/version/KEY` of values that are damaged. */
  corrupt: string[]
  /** Master keys that values need and that are not here, with the places of those values. */
  unknownKeys: Map<string, string[]>
}

type StoredValue = { runtimeId: string; version: string; key: string; value: string }

/**
 * Brings every stored value under the master key in force. Each value is one compare-and-set: it can be interrupted
 * anywhere and run again, and a value that somebody sets meanwhile is left alone.
 *
 * @param raw the store itself, without encryption around its configuration.
 */
export async function resealConfig(
  raw: Pick<Store, 'runtimes' | 'versions' | 'config'>,
  ring: KeyRing,
): Promise<ResealReport> {
  const report: ResealReport = { sealed: 0, rewrapped: 0, corrupt: [], unknownKeys: new Map() }
  for await (const stored of storedValues(raw)) {
    const next = resealed(ring, stored, report)
    if (next === null) continue
    // Twice around the first run: before, what was freed in plain text earlier; after, what this run replaced.
    if (!isSealed(stored.value) && report.sealed === 0) await raw.config.eraseReplaced()
    const { runtimeId, version, key, value } = stored
    const done = await raw.config.replaceValue(runtimeId, version, key, value, next)
    if (done) report[isSealed(value) ? 'rewrapped' : 'sealed'] += 1
  }
  if (report.sealed + report.rewrapped > 0) await raw.config.eraseReplaced()
  return report
}

/** Whether any value needs a master key. */
export async function hasSealedValues(
  raw: Pick<Store, 'runtimes' | 'versions' | 'config'>,
): Promise<boolean> {
  for await (const { value } of storedValues(raw)) if (looksSealed(value)) return true
  return false
}

/** Unsets every value that no key here can open. @returns `runtime/version/KEY` of each. */
export async function unsetUnreadable(
  raw: Pick<Store, 'runtimes' | 'versions' | 'config'>,
  ring: KeyRing,
): Promise<string[]> {
  const unset: string[] = []
  for await (const stored of storedValues(raw)) {
    const { runtimeId, version, key, value } = stored
    if (!looksSealed(value) || openSealed(ring, placeOf(stored), value).ok) continue
    if (await raw.config.replaceValue(runtimeId, version, key, value, '')) unset.push(name(stored))
  }
  return unset
}

/** The form to store in place of the one that is there; null = it stays. */
function resealed(ring: KeyRing, stored: StoredValue, report: ResealReport): string | null {
  const { runtimeId, version, key, value } = stored
  if (value === '') return null
  if (!looksSealed(value)) return sealEntryValue(ring, runtimeId, version, key, value)
  // Opened, although only its wrapping may change: damage is told when it can still be repaired.
  const opened = openSealed(ring, placeOf(stored), value)
  if (opened.ok) {
    const next = masterKeyIdOf(value) === ring.current.id ? null : rewrap(ring, value)
    return next?.ok === true ? next.value : null
  }
  if (opened.reason === 'corrupt') report.corrupt.push(name(stored))
  else {
    const { masterKeyId } = opened
    report.unknownKeys.set(masterKeyId, [
      ...(report.unknownKeys.get(masterKeyId) ?? []),
      name(stored),
    ])
  }
  return null
}

async function* storedValues({
  runtimes,
  versions,
  config,
}: Pick<Store, 'runtimes' | 'versions' | 'config'>): AsyncGenerator<StoredValue> {
  for (const { id: runtimeId } of await runtimes.list())
    for (const { name: version } of await versions.list(runtimeId))
      for (const { key, value } of await config.get(runtimeId, version))
        yield { runtimeId, version, key, value }
}

function placeOf({ runtimeId, version, key }: StoredValue): readonly string[] {
  return ['config', runtimeId, version, key]
}

function name({ runtimeId, version, key }: StoredValue): string {
  return `${runtimeId}/${version}/${key}`
}
