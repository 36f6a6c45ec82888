/** The Deployment of one workload: an entrypoint, or a node with those that share its process. */
import { createHash } from 'node:crypto'
import { objectName, SECOND_MS, type Workload } from '@kre/contracts'
import type {
  V1Container,
  V1Deployment,
  V1EnvVar,
  V1ObjectMeta,
  V1PodSpec,
} from '@kubernetes/client-node'
import { runnerFlags } from '../../runner-flags.ts'
import { LAUNCH_FILE, POD, POD_LAYOUT, PORTS, PROGRAM_FOLDER } from '../pod-layout.ts'
import type { KubernetesSettings } from '../settings.ts'
import { ANNOTATION, LABEL, nameAnnotations, workloadLabels } from './identity.ts'
import { launchTemplate } from './launch-template.ts'
import { CONTAINER_SECURITY, POD_SECURITY } from './pod-security.ts'
import { entrypointProbes, nodeProbes } from './probes.ts'
import { containerResources, placement, prepareResources } from './resources.ts'
import { publishedRouteName } from './published-route.ts'
import { variablesEnv } from './secrets.ts'
import { writeWorkloadRecord } from './workload-record.ts'
import { podVolumes, prepareMounts, runMounts } from './volumes.ts'

/** Between the end of draining and SIGKILL. */
const GRACE_MARGIN_S = 5

/** Secrets with values of a workload's configuration. */
export type ValuesSecrets = {
  /** Null = there are no values. */
  readonly name: string | null
  /** Those that pods of earlier specs may use still. */
  readonly former: readonly string[]
}

export function workloadDeployment(
  workload: Workload,
  settings: KubernetesSettings,
  metadata: Pick<V1ObjectMeta, 'namespace' | 'ownerReferences'>,
  { name: valuesSecret, former }: ValuesSecrets,
): V1Deployment {
  const labels = workloadLabels(workload, settings)
  const selector = { [LABEL.workload]: labels[LABEL.workload] ?? '' }
  const names = nameAnnotations(workload)
  const secrets = [
    ...former.filter((name) => name !== valuesSecret),
    ...(valuesSecret === null ? [] : [valuesSecret]),
  ]
  const route = publishedRouteName(workload, settings)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      ...metadata,
      name: objectName(workload.id),
      labels,
      annotations: {
        ...settings.annotations,
        ...names,
        [ANNOTATION.workloadId]: workload.id,
        [ANNOTATION.spec]: writeWorkloadRecord(workload),
        [ANNOTATION.specHash]: workload.specHash,
        [ANNOTATION.settings]: settingsHash(settings),
        ...(secrets.length === 0 ? {} : { [ANNOTATION.configSecrets]: secrets.join(',') }),
        ...(route === null ? {} : { [ANNOTATION.route]: route }),
      },
    },
    spec: {
      replicas: workload.replicas,
      selector: { matchLabels: selector },
      // A pod of the old spec goes when one of the new is ready in its place.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      // Their pods could not start any more: what they run is in Secrets that are gone.
      revisionHistoryLimit: 0,
      progressDeadlineSeconds: Math.ceil(settings.readyTimeoutMs / SECOND_MS) + 60,
      template: {
        metadata: {
          labels,
          annotations: {
            ...settings.annotations,
            ...names,
            [ANNOTATION.workloadId]: workload.id,
            [ANNOTATION.specHash]: workload.specHash,
            [ANNOTATION.launch]: JSON.stringify(launchTemplate(workload, settings)),
          },
        },
        spec: podSpec(workload, settings, labels, valuesSecret),
      },
    },
  }
}

/** Tells what an engine with other settings, or other programs, has made from what somebody has changed. */
export function isMadeWith(settings: KubernetesSettings, { metadata }: V1Deployment): boolean {
  return metadata?.annotations?.[ANNOTATION.settings] === settingsHash(settings)
}

/** Of settings that an engine has read once. */
const hashes = new WeakMap<KubernetesSettings, string>()

/** Digest of what a Deployment's pods depend on beside their workload. */
export function settingsHash(settings: KubernetesSettings): string {
  const known = hashes.get(settings)
  if (known !== undefined) return known
  // How fast workloads are rolled is no reason to roll them.
  const text = JSON.stringify([POD_LAYOUT, { ...settings, rollAtOnce: null }])
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
  hashes.set(settings, hash)
  return hash
}

function podSpec(
  workload: Workload,
  settings: KubernetesSettings,
  labels: Readonly<Record<string, string>>,
  valuesSecret: string | null,
): V1PodSpec {
  const { pullSecrets } = settings.images
  return {
    serviceAccountName: labels[LABEL.group] ?? '',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: graceSeconds(workload, settings),
    ...placement(workload, labels, settings),
    ...(pullSecrets.length === 0
      ? {}
      : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
    initContainers: [prepareContainer(workload, settings)],
    containers: [runContainer(workload, settings, valuesSecret)],
    volumes: podVolumes(workload, valuesSecret, settings),
  }
}

/** Gets the bundle, checks its digest, unpacks it, and writes the launch file. */
function prepareContainer(workload: Workload, settings: KubernetesSettings): V1Container {
  return {
    name: 'prepare',
    image: imageOf(workload, settings),
    imagePullPolicy: 'IfNotPresent',
    command: ['node', `${settings.images.root}/${PROGRAM_FOLDER}/prepare.js`],
    workingDir: POD.temporary,
    env: [
      { name: 'POD_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } },
      { name: 'HOME', value: POD.temporary },
      { name: 'TMPDIR', value: POD.temporary },
      ...packageEnv(workload, settings),
    ],
    resources: prepareResources(workload, settings),
    securityContext: CONTAINER_SECURITY,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: prepareMounts(workload),
  }
}

/** What pip is told; it reads nothing else, because no user has a home there. */
function packageEnv({ spec }: Workload, { python }: KubernetesSettings): V1EnvVar[] {
  if (spec.kind === 'entrypoint' || spec.runner !== 'python' || python.indexUrl === null) return []
  return [
    { name: 'PIP_INDEX_URL', value: python.indexUrl },
    ...(python.indexCaFile === null ? [] : [{ name: 'PIP_CERT', value: python.indexCaFile }]),
  ]
}

function runContainer(
  workload: Workload,
  settings: KubernetesSettings,
  valuesSecret: string | null,
): V1Container {
  const { spec } = workload
  const program = spec.kind === 'node' ? 'node-runner' : 'entrypoint'
  const memoryBytes = workload.memoryBytesMax ?? settings.resources.memoryBytes
  return {
    name: spec.kind,
    image: imageOf(workload, settings),
    imagePullPolicy: 'IfNotPresent',
    command: [
      'node',
      ...runnerFlags(spec.kind, memoryBytes),
      `${settings.images.root}/${PROGRAM_FOLDER}/${program}.js`,
    ],
    workingDir: workload.bundleDigest === null ? POD.temporary : POD.files,
    ports: [
      spec.kind === 'node'
        ? { name: 'health', containerPort: PORTS.health, protocol: 'TCP' }
        : { name: 'grpc', containerPort: PORTS.grpc, protocol: 'TCP' },
    ],
    env: [
      ...variablesEnv(workload, valuesSecret),
      { name: 'HOME', value: POD.temporary },
      ...(spec.kind === 'node' ? [{ name: 'KRE_HEALTH_PORT', value: String(PORTS.health) }] : []),
      { name: 'KRE_LAUNCH_FILE', value: LAUNCH_FILE },
      { name: 'TMPDIR', value: POD.temporary },
    ],
    resources: containerResources(workload, settings),
    securityContext: CONTAINER_SECURITY,
    // What a container says last is its reason, and user code writes that to its log.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...(spec.kind === 'node' ? nodeProbes(settings) : entrypointProbes(settings)),
    ...lameDuck(workload, settings),
    volumeMounts: runMounts(workload),
  }
}

/** Proxies learn of a pod's end later than the pod. Nodes need no such time: the broker knows at once. */
function lameDuck(
  { spec }: Workload,
  { lameDuckMs }: KubernetesSettings,
): Pick<V1Container, 'lifecycle'> {
  if (spec.kind === 'node' || lameDuckMs === 0) return {}
  return { lifecycle: { preStop: { sleep: { seconds: Math.ceil(lameDuckMs / SECOND_MS) } } } }
}

function graceSeconds({ spec }: Workload, { drainMs, lameDuckMs }: KubernetesSettings): number {
  const waitMs = spec.kind === 'entrypoint' ? lameDuckMs : 0
  return Math.ceil(waitMs / SECOND_MS) + Math.ceil(drainMs / SECOND_MS) + GRACE_MARGIN_S
}

function imageOf({ spec }: Workload, { images }: KubernetesSettings): string {
  if (spec.kind === 'entrypoint') return images.entrypoint
  return (
    (Object.hasOwn(images.byName, spec.image) ? images.byName[spec.image] : undefined) ??
    images[spec.runner]
  )
}
