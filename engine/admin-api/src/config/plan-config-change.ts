import { KiB, KreError } from '@kre/contracts'
import type { KrtManifest } from '@kre/contracts'
import type { ConfigEntry } from '@kre/store'
import { quoted } from '../text.ts'
import { configState, declaredKeys } from './config-state.ts'

/** Linux takes no environment string above 128 KiB, and every value reaches nodes as one. */
export const CONFIG_VALUE_BYTES_MAX = 128 * KiB

/**
 * The entries to store for the values a user sent.
 *
 * @param mustBeComplete whether the version runs, so that no declared key may end up without a value.
 * @throws KreError `invalid-argument` for an unknown or repeated key or a value that can't be delivered,
 *   `failed-precondition` when a running version would become incomplete. No message repeats a value.
 */
export function planConfigChange(
  manifest: Pick<KrtManifest, 'config'>,
  current: readonly ConfigEntry[],
  sent: readonly { key: string; value: string }[],
  { mustBeComplete, now }: { mustBeComplete: boolean; now: Date },
): ConfigEntry[] {
  const types = new Map(declaredKeys(manifest).map(({ key, type }) => [key, type]))
  const seen = new Set<string>()
  const entries = sent.map(({ key, value }): ConfigEntry => {
    const type = types.get(key)
    if (type === undefined) throw unknownKey(key, [...types.keys()])
    if (seen.has(key)) throw invalid(key, `the key ${quoted(key)} is given twice: give it once`)
    seen.add(key)
    assertDeliverable(key, value)
    return { key, type, value, updatedAt: now }
  })
  if (mustBeComplete) {
    const kept = current.filter(({ key }) => !seen.has(key))
    const { missing } = configState(manifest, [...kept, ...entries])
    if (missing.length > 0)
      throw new KreError('failed-precondition', "config can't be incomplete for started version", {
        missing,
      })
  }
  return entries
}

function assertDeliverable(key: string, value: string): void {
  if (value.includes('\0'))
    throw invalid(key, `the value of ${quoted(key)} contains a NUL character: remove it`)
  const bytes = Buffer.byteLength(value)
  if (bytes > CONFIG_VALUE_BYTES_MAX)
    throw invalid(
      key,
      `the value of ${quoted(key)} has ${bytes} bytes: use at most ${CONFIG_VALUE_BYTES_MAX}`,
    )
}

function unknownKey(key: string, declared: readonly string[]): KreError {
  const known = declared.length === 0 ? 'none' : declared.map((name) => `"${name}"`).join(', ')
  return invalid(
    key,
    `version config contains an unknown key: ${quoted(key)} (the version declares ${known})`,
  )
}

function invalid(key: string, message: string): KreError {
  return new KreError('invalid-argument', message, { key: key.slice(0, 64) })
}
