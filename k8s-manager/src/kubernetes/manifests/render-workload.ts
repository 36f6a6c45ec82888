/** A workload as objects of Kubernetes. Pure: the same workload, settings and owner give the same objects. */
import type { Workload } from '@kre/contracts'
import type {
  V1Deployment,
  V1Ingress,
  V1OwnerReference,
  V1PodDisruptionBudget,
  V1Service,
} from '@kubernetes/client-node'
import type { KubernetesSettings } from '../settings.ts'
import { type ValuesSecrets, workloadDeployment } from './deployment.ts'
import { type GatewayRoute, publishedRoute } from './published-route.ts'
import { disruptionBudget, entrypointService } from './service.ts'

/** What a workload has beside what its version shares. */
export type WorkloadObjects = {
  readonly deployment: V1Deployment
  /** Of a workload with several replicas: it protects none of one. */
  readonly budget: V1PodDisruptionBudget | null
  /** Of entrypoints. */
  readonly service: V1Service | null
  /** Of a published entrypoint that is reached from outside. */
  readonly route: V1Ingress | GatewayRoute | null
}

export function renderWorkload(
  workload: Workload,
  settings: KubernetesSettings,
  owner: V1OwnerReference,
  secrets: ValuesSecrets,
): WorkloadObjects {
  const metadata = { namespace: settings.namespace, ownerReferences: [owner] }
  const { spec, replicas } = workload
  return {
    deployment: workloadDeployment(workload, settings, metadata, secrets),
    budget: replicas > 1 ? disruptionBudget(workload, settings, metadata) : null,
    service: spec.kind === 'entrypoint' ? entrypointService(workload, settings, metadata) : null,
    route: publishedRoute(workload, settings, metadata),
  }
}

/** Those that there are, the Deployment last: its pods need the others. */
export function objectsIn({ deployment, budget, service, route }: WorkloadObjects) {
  return [budget, service, route, deployment].filter((object) => object !== null)
}
