/** The folders of a pod. Only three can be written to: for work, for temporary files, and while the pod is prepared. */
import type { V1Volume, V1VolumeMount } from '@kubernetes/client-node'
import { MiB, type Workload } from '@kre/contracts'
import { CREDENTIALS_KEY, LAUNCH_KEY, NATS_KEY, POD, VALUES_KEY } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'
import { ANNOTATION } from './identity.ts'
import { quantityOfBytes } from './resources.ts'
import { accessKeys, accessSecretName } from './secrets.ts'

/** A launch file with its configuration; a Secret holds no more. */
const LAUNCH_BYTES_MAX = 4 * MiB
/** Readable by its owner alone; the pod's group is added by the kubelet, because the pod's user is not the owner. */
const SECRET_MODE = 0o400

/** @param valuesSecretName null = the configuration has no values. */
export function podVolumes(
  workload: Workload,
  valuesSecretName: string | null,
  { resources }: KubernetesSettings,
): V1Volume[] {
  const disk = { emptyDir: { sizeLimit: quantityOfBytes(resources.storageBytes) } }
  return [
    configVolume(valuesSecretName),
    accessVolume(workload),
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

function configVolume(valuesSecretName: string | null): V1Volume {
  const fieldPath = `metadata.annotations['${ANNOTATION.launch}']`
  const values = { items: [{ key: VALUES_KEY, path: VALUES_KEY }] }
  return {
    name: 'config',
    projected: {
      defaultMode: SECRET_MODE,
      sources: [
        { downwardAPI: { items: [{ path: LAUNCH_KEY, fieldRef: { fieldPath } }] } },
        ...(valuesSecretName === null ? [] : [{ secret: { name: valuesSecretName, ...values } }]),
      ],
    },
  }
}

/** Of the version's credentials a pod gets its own. */
function accessVolume(workload: Workload): V1Volume {
  const keys = accessKeys(workload)
  return {
    name: 'access',
    secret: {
      secretName: accessSecretName(workload),
      defaultMode: SECRET_MODE,
      items: [
        { key: keys.nats, path: NATS_KEY },
        { key: keys.credentials, path: CREDENTIALS_KEY },
      ],
    },
  }
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
