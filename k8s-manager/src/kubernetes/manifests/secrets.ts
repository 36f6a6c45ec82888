/**
 * The two Secrets of a version. One holds the values of its configuration: it never changes, and pods with other values
 * get another. The other holds the credentials of all its pods, which expire: newer ones appear in the files of pods
 * that run.
 */
import { createHash } from 'node:crypto'
import {
  KreError,
  MiB,
  type NatsAccess,
  type NatsRenewal,
  type NodeMember,
  objectName,
  type Workload,
} from '@kre/contracts'
import type { V1EnvVar, V1ObjectMeta, V1Secret } from '@kubernetes/client-node'
import { CREDENTIALS_KEY, NATS_KEY, POD, VALUES_KEY } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'
import { groupLabels, groupName } from './identity.ts'

type Group = Pick<Workload, 'runtimeId' | 'version'>
type Metadata = Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>

/** Of all values together; the API server refuses more. */
const SECRET_BYTES_MAX = 1 * MiB

/** Of what is in the Secret of values: it never changes, so another form needs another name. */
const FORMAT = 1

/** What configures a runner or its loader is not for a bundle to set. */
const RESERVED_VARIABLE =
  /^(?:KRE_|KRT_|NODE_|UV_|LD_|DYLD_|PYTHON|OPENSSL_|POD_)|^(?:PATH|HOME|TMPDIR|SHELL|IFS|ENV|BASH_ENV)$/
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Values of the workload's configuration; null = it has none.
 *
 * @throws KreError `resource-exhausted` when they do not fit into a Secret.
 */
export function valuesSecret(
  workload: Workload,
  settings: KubernetesSettings,
  metadata: Metadata,
): V1Secret | null {
  const { spec } = workload
  const name = valuesSecretName(workload)
  if (name === null || spec.kind === 'entrypoint') return null
  const values = {
    [VALUES_KEY]: JSON.stringify(sorted(spec.config)),
    ...Object.fromEntries(variablesOf(workload).map(([key, value]) => [variableKey(key), value])),
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, name, labels: groupLabels(workload, settings) },
    type: 'Opaque',
    immutable: true,
    data: toData(groupName(workload), values),
  }
}

/**
 * Made of a keyed digest of the values: names are seen by people who may not see what is inside, and 8 digits of a plain
 * digest are enough to try out a short password.
 *
 * @returns null when there are none.
 */
export function valuesSecretName(workload: Workload): string | null {
  const { spec, configHash, specHash, id } = workload
  if (spec.kind === 'entrypoint') return null
  const { variables, files } = spec.config
  if (Object.keys(variables).length + Object.keys(files).length === 0) return null
  const what = [FORMAT, configHash ?? [id, specHash]]
  const digest = createHash('sha256').update(JSON.stringify(what)).digest('hex')
  return groupName(workload, digest.slice(0, 8))
}

export function accessSecretName(of: Group): string {
  return groupName(of, 'access')
}

/** Keys of the access Secret that are the workload's own. */
export function accessKeys({ id }: Pick<Workload, 'id'>): { nats: string; credentials: string } {
  const name = objectName(id)
  return { nats: `${name}.${NATS_KEY}`, credentials: `${name}.${CREDENTIALS_KEY}` }
}

/**
 * @param access of each workload of the group that runs or is to.
 * @throws KreError `resource-exhausted` when they do not fit into a Secret.
 */
export function accessSecret(
  of: Group,
  settings: KubernetesSettings,
  metadata: Metadata,
  access: readonly (readonly [Pick<Workload, 'id'>, NatsAccess])[],
): V1Secret {
  const values = access.map(([workload, { credentials, ...nats }]) => {
    const keys = accessKeys(workload)
    if (credentials === undefined)
      return { [keys.nats]: JSON.stringify(nats), [keys.credentials]: 'null' }
    // Certificates go with what is renewed, and are there once.
    const { tls, ...place } = nats
    const renewalPath = `${POD.access}/${CREDENTIALS_KEY}`
    return {
      [keys.nats]: JSON.stringify(place),
      [keys.credentials]: JSON.stringify({
        ...credentials,
        renewalPath,
        tls,
      } satisfies NatsRenewal),
    }
  })
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { ...metadata, name: accessSecretName(of), labels: groupLabels(of, settings) },
    type: 'Opaque',
    data: toData(groupName(of), Object.assign({}, ...values) as Record<string, string>),
  }
}

/** The configuration's variables, each from its key of the Secret. */
export function variablesEnv(workload: Workload, secretName: string | null): V1EnvVar[] {
  if (secretName === null) return []
  return variablesOf(workload).map(([name]) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key: variableKey(name) } },
  }))
}

/** The same values give the same text, in whatever order they come. */
function sorted({ variables, files }: NodeMember['config']): NodeMember['config'] {
  const of = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return { variables: of(variables), files: of(files) }
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

function toData(group: string, values: Readonly<Record<string, string>>): Record<string, string> {
  const bytes = Object.values(values).reduce((sum, value) => sum + Buffer.byteLength(value), 0)
  if (bytes > SECRET_BYTES_MAX)
    throw new KreError(
      'resource-exhausted',
      `${group}: ${bytes} bytes are to be in one Secret, and Kubernetes takes ${SECRET_BYTES_MAX}: put large files of the configuration into the bundle, or split a version of very many nodes`,
      { bytes },
    )
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  )
}
