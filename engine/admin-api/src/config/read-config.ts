import { fingerprint } from '@kre/service-kit/secrets'
import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { configState, type ConfigVariable } from './config-state.ts'

export type ReadConfig = {
  readonly vars: readonly (ConfigVariable & {
    /** Equal for equal values of the key in the runtime, whatever its version; null = not set. */
    readonly fingerprint: string | null
  })[]
  readonly missing: readonly string[]
  readonly generation: number
}

/** Which declared keys of a version have values; a damaged value counts as none. @throws KreError `not-found`. */
export async function readConfig(
  deps: Pick<FeatureDeps, 'runtimes' | 'versions' | 'config' | 'fingerprintKey'>,
  query: { principal: Principal; runtimeId: string; versionName: string },
): Promise<ReadConfig> {
  const { principal, runtimeId, versionName } = query
  authorize(principal, 'view versions', runtimeId)
  const { facts } = await requireVersion(deps, runtimeId, versionName)
  // Before the values, so that a change in between is refused rather than overwritten.
  const generation = await deps.config.generation(runtimeId, versionName)
  const entries = await deps.config.get(runtimeId, versionName, { leaveOutDamaged: true })
  const { vars, missing } = configState(facts.manifest, entries)
  const values = new Map(entries.map(({ key, value }) => [key, value]))
  const fingerprintOf = (key: string) =>
    fingerprint(deps.fingerprintKey, [runtimeId, key], values.get(key) ?? '')
  return {
    vars: vars.map((one) => ({ ...one, fingerprint: one.isSet ? fingerprintOf(one.key) : null })),
    missing,
    generation,
  }
}
