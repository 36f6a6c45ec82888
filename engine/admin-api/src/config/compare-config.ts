import type { FeatureDeps } from '../context.ts'
import { authorize, type Principal } from '../principal.ts'
import { requireVersion } from '../versions/version-state.ts'
import { planConfigChange } from './plan-config-change.ts'

/**
 * Keys whose value is not the one that is sent, so that a client that can't read values knows what it has to set.
 * Who may set a value learns nothing new by it: equal values have equal fingerprints.
 *
 * @throws KreError `not-found`, `invalid-argument` for an unknown or repeated key. No message repeats a value.
 */
export async function compareConfig(
  deps: Pick<FeatureDeps, 'runtimes' | 'versions' | 'config' | 'now'>,
  query: {
    principal: Principal
    runtimeId: string
    versionName: string
    variables: readonly { key: string; value: string }[]
  },
): Promise<string[]> {
  const { principal, runtimeId, versionName, variables } = query
  authorize(principal, 'edit versions', runtimeId)
  const { facts } = await requireVersion(deps, runtimeId, versionName)
  const wanted = planConfigChange(facts.manifest, [], variables, {
    mustBeComplete: false,
    now: deps.now(),
  })
  const entries = await deps.config.get(runtimeId, versionName, { leaveOutDamaged: true })
  const stored = new Map(entries.map(({ key, type, value }) => [`${type} ${key}`, value]))
  return wanted
    .filter(({ key, type, value }) => (stored.get(`${type} ${key}`) ?? '') !== value)
    .map(({ key }) => key)
}
