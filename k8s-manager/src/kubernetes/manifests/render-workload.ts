/** A workload as objects of Kubernetes. Pure: the same workload, settings and owner give the same objects. */
import type { Workload } from '@kre/contracts'
import type {
  V1Deployment,
  V1OwnerReference,
  V1PodDisruptionBudget,
  V1Secret,
  V1Service,
} from '@kubernetes/client-node'
import type { KubernetesSettings } from '../settings.ts'
import { workloadDeployment } from './deployment.ts'
import { configSecret } from './secrets.ts'
import { disruptionBudget, entrypointService } from './service.ts'

export type WorkloadObjects = {
  readonly secret: V1Secret
  readonly deployment: V1Deployment
  readonly budget: V1PodDisruptionBudget
  /** Of entrypoints. */
  readonly service: V1Service | null
}

/**
 * @param formerSecrets Secrets that pods of earlier specs may use still.
 * @throws KreError `resource-exhausted` when the configuration does not fit into a Secret.
 */
export function renderWorkload(
  workload: Workload,
  settings: KubernetesSettings,
  owner: V1OwnerReference,
  formerSecrets: readonly string[] = [],
): WorkloadObjects {
  const metadata = { namespace: settings.namespace, ownerReferences: [owner] }
  const secret = configSecret(workload, settings, metadata)
  const secretName = secret.metadata?.name ?? ''
  return {
    secret,
    deployment: workloadDeployment(workload, settings, metadata, secretName, formerSecrets),
    budget: disruptionBudget(workload, settings, metadata),
    service:
      workload.spec.kind === 'entrypoint' ? entrypointService(workload, settings, metadata) : null,
  }
}
