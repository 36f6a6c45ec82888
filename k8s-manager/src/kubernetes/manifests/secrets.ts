/**
 * What a pod is told, in two Secrets. One holds what it runs: it never changes, and a pod that is to run something else
 * gets another. The other holds credentials, which expire: newer ones appear in the files of pods that run.
 */
import { createHash } from 'node:crypto'
import {
  KreError,
  MiB,
  type NatsAccess,
  type NodeLaunch,
  objectName,
  type EntrypointLaunch,
  type Workload,
} from '@kre/contracts'
import type { V1EnvVar, V1ObjectMeta, V1Secret } from '@kubernetes/client-node'
import { BUNDLE_KEY, CONFIG_KEY, CREDENTIALS_KEY, NATS_KEY, POD, PORTS } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'
import { workloadLabels } from './identity.ts'

/** Where a pod gets its bundle from, and with what right. */
export type BundleAccess = {
  /** The canonical archive. */
  readonly archiveUrl: string
  /** The FileDescriptorSet of its protos. */
  readonly descriptorsUrl: string
  /** Sent as `Authorization: Bearer`; empty = none. */
  readonly token: string
}

/** What the pod is told but for what only the pod knows: its number, its credentials, its folders. */
export type LaunchTemplate =
  | Omit<NodeLaunch, 'nats' | 'replica' | 'basePath' | 'descriptorSetPath' | 'workPath' | 'python'>
  | Omit<EntrypointLaunch, 'nats' | 'replica'>

/** Of all values together; the API server refuses more. */
const SECRET_BYTES_MAX = 1 * MiB

/** What configures a runner or its loader is not for a bundle to set. */
const RESERVED_VARIABLE =
  /^(?:KRE_|KRT_|NODE_|UV_|LD_|DYLD_|PYTHON|OPENSSL_|POD_)|^(?:PATH|HOME|TMPDIR|SHELL|IFS|ENV|BASH_ENV)$/
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function launchTemplate(workload: Workload, settings: KubernetesSettings): LaunchTemplate {
  const { spec } = workload
  const { drainMs, engineAbsenceMs, tracing } = settings
  const place = { drainMs, engineAbsenceMs, ...(tracing === null ? {} : { tracing }) }
  return spec.kind === 'node'
    ? { ...spec, ...place }
    : { ...spec, ...place, listen: { host: '0.0.0.0', port: PORTS.grpc } }
}

/**
 * @throws KreError `resource-exhausted` when the configuration does not fit into a Secret.
 */
export function configSecret(
  workload: Workload,
  settings: KubernetesSettings,
  metadata: Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>,
): V1Secret {
  const template = launchTemplate(workload, settings)
  const values = {
    [CONFIG_KEY]: JSON.stringify(template),
    ...Object.fromEntries(variablesOf(workload).map(([name, value]) => [variableKey(name), value])),
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...metadata,
      name: objectName(workload.id, contentHash(template, workload.specHash)),
      labels: workloadLabels(workload, settings),
    },
    type: 'Opaque',
    immutable: true,
    data: toData(workload, values),
  }
}

export function accessSecretName({ id }: Pick<Workload, 'id'>): string {
  return objectName(id, 'access')
}

export function accessSecret(
  workload: Workload,
  settings: KubernetesSettings,
  metadata: Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>,
  access: { readonly nats: NatsAccess; readonly bundle: BundleAccess | null },
): V1Secret {
  const { credentials } = access.nats
  const nats: NatsAccess =
    credentials === undefined
      ? access.nats
      : {
          ...access.nats,
          credentials: { ...credentials, renewalPath: `${POD.access}/${CREDENTIALS_KEY}` },
        }
  const values = {
    [NATS_KEY]: JSON.stringify(nats),
    ...(credentials === undefined ? {} : { [CREDENTIALS_KEY]: JSON.stringify(credentials) }),
    ...(access.bundle === null
      ? {}
      : { [BUNDLE_KEY]: JSON.stringify({ ...access.bundle, digest: workload.bundleDigest }) }),
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...metadata,
      name: accessSecretName(workload),
      labels: workloadLabels(workload, settings),
    },
    type: 'Opaque',
    data: toData(workload, values),
  }
}

/** The configuration's variables, each from its key of the Secret. */
export function variablesEnv(workload: Workload, secretName: string): V1EnvVar[] {
  return variablesOf(workload).map(([name]) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key: variableKey(name) } },
  }))
}

function variablesOf({ spec }: Workload): [string, string][] {
  if (spec.kind === 'entrypoint') return []
  return Object.entries(spec.config.variables)
    .filter(([name]) => VARIABLE_NAME.test(name) && !RESERVED_VARIABLE.test(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function variableKey(name: string): string {
  return `variable.${name}`
}

/**
 * Of all that the Secret holds, but values of the configuration only by the spec's keyed digest: names are seen by people
 * who may not see what is inside, and 8 digits of a plain digest are enough to try out a short password.
 */
function contentHash(template: LaunchTemplate, specHash: string): string {
  const shown =
    template.kind === 'node'
      ? {
          ...template,
          config: null,
          fused: template.fused?.map((member) => ({ ...member, config: null })),
        }
      : template
  return createHash('sha256')
    .update(JSON.stringify([specHash, shown]))
    .digest('hex')
    .slice(0, 8)
}

function toData(
  workload: Workload,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  const bytes = Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  if (bytes > SECRET_BYTES_MAX)
    throw new KreError(
      'resource-exhausted',
      `${workload.id}: its configuration has ${bytes} bytes, and a Secret of Kubernetes holds ${SECRET_BYTES_MAX}: put large files into the bundle`,
      { bytes },
    )
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  )
}
