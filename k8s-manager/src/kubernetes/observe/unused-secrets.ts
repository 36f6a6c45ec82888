/** Secrets of specs that no pod runs any more. Pure. */
import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import { ANNOTATION } from '../manifests/identity.ts'

/** The newest last. */
export function configSecretsOf({ metadata }: V1Deployment): string[] {
  const names = metadata?.annotations?.[ANNOTATION.configSecrets] ?? ''
  return names.split(',').filter((name) => name !== '')
}

/** @returns none before the roll is over: until then a pod of the old spec may be made again. */
export function unusedSecrets(deployment: V1Deployment, pods: readonly V1Pod[]): string[] {
  const known = configSecretsOf(deployment)
  if (known.length < 2 || !isRolledOut(deployment)) return []
  const used = new Set(pods.flatMap(secretsIn))
  return known.slice(0, -1).filter((name) => !used.has(name))
}

function isRolledOut({ metadata, spec, status }: V1Deployment): boolean {
  const wanted = spec?.replicas ?? 1
  return (
    (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 1) &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted
  )
}

function secretsIn({ spec }: V1Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? [])
}
