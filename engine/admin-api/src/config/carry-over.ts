import type { KrtManifest } from '@kre/contracts'
import type { ConfigEntry } from '@kre/store'
import { declaredKeys } from './config-state.ts'

/**
 * The values that a new version takes over: for each key it declares, the most recent non-empty value of the same
 * name and type among the runtime's earlier versions.
 *
 * @param earlier values of each earlier version, newest version first.
 */
export function carryOver(
  manifest: Pick<KrtManifest, 'config'>,
  earlier: readonly (readonly ConfigEntry[])[],
  now: Date,
): ConfigEntry[] {
  return declaredKeys(manifest).flatMap(({ key, type }) => {
    const found = earlier
      .flat()
      .find((entry) => entry.key === key && entry.type === type && entry.value !== '')
    return found === undefined ? [] : [{ key, type, value: found.value, updatedAt: now }]
  })
}
