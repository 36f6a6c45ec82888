/** The folders of a pod. Only three can be written to: for work, for temporary files, and while the pod is prepared. */
import type { V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import { MiB, type Workload } from '@kre/contracts'
import { POD } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'
import { quantityOfBytes } from './resources.ts'
import { accessSecretName } from './secrets.ts'

/** A launch file with its configuration; a Secret holds no more. */
const LAUNCH_BYTES_MAX = 4 * MiB
/** Readable by its owner alone; the pod's group is added by the kubelet, because the pod's user is not the owner. */
const SECRET_MODE = 0o400

export function podVolumes(
  workload: Workload,
  configSecretName: string,
  { resources }: KubernetesSettings,
): V1Volume[] {
  const disk = { emptyDir: { sizeLimit: quantityOfBytes(resources.storageBytes) } }
  return [
    { name: 'config', secret: { secretName: configSecretName, defaultMode: SECRET_MODE } },
    {
      name: 'access',
      secret: { secretName: accessSecretName(workload), defaultMode: SECRET_MODE },
    },
    // In memory, because credentials are in it.
    {
      name: 'launch',
      emptyDir: { medium: 'Memory', sizeLimit: quantityOfBytes(LAUNCH_BYTES_MAX) },
    },
    { name: 'temporary', ...disk },
    ...(workload.bundleDigest === null ? [] : [{ name: 'bundle', ...disk }]),
    ...(workload.spec.kind === 'node' ? [{ name: 'work', ...disk }] : []),
  ]
}

/** Of the container that writes the launch file and unpacks the bundle. */
export function prepareMounts({ bundleDigest }: Workload): V1VolumeMount[] {
  return [
    { name: 'config', mountPath: POD.config, readOnly: true },
    { name: 'access', mountPath: POD.access, readOnly: true },
    { name: 'launch', mountPath: POD.launch },
    { name: 'temporary', mountPath: POD.temporary },
    ...(bundleDigest === null ? [] : [{ name: 'bundle', mountPath: POD.bundle }]),
  ]
}

/** Of the container that runs. */
export function runMounts({ bundleDigest, spec }: Workload): V1VolumeMount[] {
  return [
    { name: 'access', mountPath: POD.access, readOnly: true },
    { name: 'launch', mountPath: POD.launch, readOnly: true },
    { name: 'temporary', mountPath: POD.temporary },
    ...(bundleDigest === null
      ? []
      : [
          { name: 'bundle', mountPath: POD.bundle, readOnly: true },
          { name: 'bundle', mountPath: POD.files, subPath: 'files', readOnly: true },
        ]),
    ...(spec.kind === 'node' ? [{ name: 'work', mountPath: POD.work }] : []),
  ]
}
