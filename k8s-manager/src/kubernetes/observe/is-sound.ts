import type { V1Deployment, V1Pod } from '@kubernetes/client-node'

/** Whether all pods that it asks for are of its template and ready, and no others are there. Pure. */
export function isSound({ metadata, spec, status }: V1Deployment, pods: readonly V1Pod[]): boolean {
  const wanted = spec?.replicas ?? 1
  const ready = pods.filter(
    (pod) =>
      pod.metadata?.deletionTimestamp === undefined &&
      pod.status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  )
  return (
    (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0) &&
    (status?.replicas ?? 0) === wanted &&
    (status?.updatedReplicas ?? 0) === wanted &&
    ready.length === wanted
  )
}
