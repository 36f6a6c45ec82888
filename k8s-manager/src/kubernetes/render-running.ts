import type { Workload } from '@kre/contracts'
import type { V1Deployment, V1OwnerReference } from '@kubernetes/client-node'
import { renderWorkload, type WorkloadObjects } from './manifests/render-workload.ts'
import { configSecretsOf } from './observe/unused-secrets.ts'
import type { KubernetesSettings } from './settings.ts'

/**
 * Objects of a workload as its Deployment tells of it: without values of the configuration, which are in the Secret that
 * it names.
 */
export function renderRunning(
  live: V1Deployment,
  workload: Workload,
  settings: KubernetesSettings,
  owner: V1OwnerReference,
): WorkloadObjects {
  const former = configSecretsOf(live)
  const name = hasValues(workload) ? (former.at(-1) ?? null) : null
  return renderWorkload(workload, settings, owner, { name, former })
}

/** Their names are on the Deployment, the values are in a Secret. */
function hasValues({ spec }: Workload): boolean {
  if (spec.kind === 'entrypoint') return false
  const { variables, files } = spec.config
  return Object.keys(variables).length + Object.keys(files).length > 0
}
