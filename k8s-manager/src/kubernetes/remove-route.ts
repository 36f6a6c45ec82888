/** Takes away the way from outside to an entrypoint that has another one now, or none. */
import type { V1Deployment } from '@kubernetes/client-node'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { ANNOTATION, LABEL } from './manifests/identity.ts'

const ROUTE_KINDS = ['Ingress', 'HTTPRoute', 'GRPCRoute'] as const

/** @param after null = the entrypoint goes. */
export async function removeRoute(
  objects: ClusterObjects,
  before: V1Deployment,
  after: V1Deployment | null,
): Promise<void> {
  const route = routeOf(before)
  if (route === '' || (after !== null && routeOf(after) === route)) return
  const [kindName = '', name = ''] = route.split('/')
  const kind = ROUTE_KINDS.find((one) => one === kindName)
  if (kind === undefined) return
  const found = await objects.read({ kind, name })
  // Something that somebody else has made under the name stays.
  if (found?.metadata?.labels?.[LABEL.workload] !== before.metadata?.name) return
  await objects.remove({ kind, name }, { uid: found?.metadata?.uid ?? '' })
}

function routeOf({ metadata }: V1Deployment): string {
  return metadata?.annotations?.[ANNOTATION.route] ?? ''
}
