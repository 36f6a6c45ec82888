/** Whose an object is: labels to select it by, and annotations for what does not fit into a label. */
import { createNameHash, ENTRYPOINT, labels, objectName, type Workload } from '@kre/contracts'
import type { KubernetesSettings } from '../settings.ts'

export const FIELD_MANAGER = 'kre'

/** Labels that only objects of Kubernetes have. */
export const LABEL = {
  installation: 'kre.dev/installation',
  /** Name of the owner object: all of one version, or the published entrypoint of a runtime. */
  group: 'kre.dev/group',
  /** Name of the workload's Deployment. */
  workload: 'kre.dev/workload',
  role: 'kre.dev/role',
} as const

export const ANNOTATION = {
  /** The workload's id: labels hold only a name made of it. */
  workloadId: 'kre.dev/workload-id',
  /** On Deployments: the workload as JSON, without values of its configuration. */
  spec: 'kre.dev/spec',
  specHash: 'kre.dev/spec-hash',
  /** The workload is on its way out. */
  removing: 'kre.dev/removing',
  workflowName: 'kre.dev/workflow-name',
  nodeName: 'kre.dev/node-name',
  /** Names of the Secrets that pods of the workload may use, the newest last. */
  configSecrets: 'kre.dev/config-secrets',
  /** On pods: what they run, as JSON, without values of the configuration. */
  launch: 'kre.dev/launch',
  /** Digest of the settings that the object was made with. */
  settings: 'kre.dev/settings',
  /** On Deployments: brought to newer settings after an upgrade, and not seen to work with them yet. */
  rolling: 'kre.dev/rolling',
  /** `<kind>/<name>` of the route to a published entrypoint. */
  route: 'kre.dev/route',
} as const

/** Name of the object that owns all others of a version, or of a runtime's published entrypoint. */
export function groupName(
  { runtimeId, version }: Pick<Workload, 'runtimeId' | 'version'>,
  suffix = '',
): string {
  return objectName(version === null ? runtimeId : `${runtimeId}.${version}`, suffix)
}

/** What every object of a version, or of a published entrypoint, carries. */
export function groupLabels(
  of: Pick<Workload, 'runtimeId' | 'version'>,
  settings: KubernetesSettings,
): Record<string, string> {
  return {
    ...fitting(settings.labels),
    ...labels(of),
    'runtime-id': labelValue(of.runtimeId),
    ...(of.version === null ? {} : { 'version-name': labelValue(of.version) }),
    [LABEL.installation]: settings.installation,
    [LABEL.group]: groupName(of),
  }
}

/** What the objects and pods of one workload carry, the original's labels among it. */
export function workloadLabels(
  workload: Workload,
  settings: KubernetesSettings,
): Record<string, string> {
  const { spec } = workload
  const isNode = spec.kind === 'node'
  const node = isNode ? { workflow: spec.workflow, node: spec.node } : undefined
  return {
    ...groupLabels(workload, settings),
    ...labels(workload, node),
    'app.kubernetes.io/name': `kre-${spec.kind}`,
    type: spec.kind,
    'node-name': labelValue(isNode ? spec.nodeName : ENTRYPOINT),
    'node-id': labelValue(isNode ? spec.node : ENTRYPOINT),
    [LABEL.role]: spec.kind,
    [LABEL.workload]: objectName(workload.id),
  }
}

/** Names that people gave, in full. */
export function nameAnnotations({ spec }: Workload): Record<string, string> {
  if (spec.kind === 'entrypoint') return {}
  return {
    [ANNOTATION.workflowName]: spec.workflowName,
    [ANNOTATION.nodeName]: spec.nodeName,
  }
}

const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/
const LABEL_CHARS_MAX = 63

/** The text, or what is legal of it with a hash that tells it from others. */
export function labelValue(text: string): string {
  if (LABEL_VALUE.test(text)) return text
  const hash = createNameHash(text)
  const legal = text
    .replaceAll(/[^-A-Za-z0-9_.]+/g, '-')
    .slice(0, LABEL_CHARS_MAX - hash.length - 1)
    .replaceAll(/^[-_.]+|[-_.]+$/g, '')
  return legal === '' ? hash : `${legal}-${hash}`
}

function fitting(pairs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(pairs).map(([key, value]) => [key, labelValue(value)]))
}
