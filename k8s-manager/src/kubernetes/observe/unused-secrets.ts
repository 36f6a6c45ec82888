/** Secrets of earlier specs that no pod of a group runs any more. Pure. */
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import { ANNOTATION } from '../manifests/identity.ts'

/** The newest last. */
export function configSecretsOf({ metadata }: V1Deployment): string[] {
  const names = metadata?.annotations?.[ANNOTATION.configSecrets] ?? ''
  return names.split(',').filter((name) => name !== '')
}

/** Those that the Deployment names and does not need any more; workloads of a group can have one together. */
export type UnusedSecrets = {
  /** Of each Deployment that names some. */
  readonly forget: ReadonlyMap<V1Deployment, readonly string[]>
  /** Nobody needs them. */
  readonly remove: readonly string[]
}

/** @param group all Deployments of one group with their pods. */
export function unusedSecrets(
  group: readonly (readonly [V1Deployment, readonly V1Pod[]])[],
): UnusedSecrets {
  const forget = new Map<V1Deployment, readonly string[]>()
  for (const [deployment, pods] of group) {
    const unused = unusedBy(deployment, pods)
    if (unused.length > 0) forget.set(deployment, unused)
  }
  const isNeeded = (name: string) =>
    group.some(
      ([deployment]) =>
        configSecretsOf(deployment).includes(name) &&
        forget.get(deployment)?.includes(name) !== true,
    )
  const remove = new Set([...forget.values()].flat().filter((name) => !isNeeded(name)))
  return { forget, remove: [...remove] }
}

/** @returns none before the roll is over: until then a pod of the old spec may be made again. */
function unusedBy(deployment: V1Deployment, pods: readonly V1Pod[]): string[] {
  const known = configSecretsOf(deployment)
  const current = currentSecret(deployment)
  const former = known.filter((name) => name !== current)
  if (former.length === 0 || !isRolledOut(deployment)) return []
  const used = new Set(pods.flatMap(({ spec }) => secretsIn(spec)))
  return former.filter((name) => !used.has(name))
}

/** That of the pods to come; null = they have none. */
function currentSecret({ spec }: V1Deployment): string | null {
  return secretsIn(spec?.template.spec)[0] ?? null
}

function isRolledOut({ metadata, spec, status }: V1Deployment): boolean {
  const wanted = spec?.replicas ?? 1
  return (
    (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 1) &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted
  )
}

/** Values of the configuration are in a projected volume. */
function secretsIn(spec: V1Pod['spec']): string[] {
  return (spec?.volumes ?? []).flatMap(({ projected }) =>
    (projected?.sources ?? []).flatMap(({ secret }) => secret?.name ?? []),
  )
}
