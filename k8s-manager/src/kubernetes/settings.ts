/** What an operator decides once about pods: where they run, from which images, and how much they get. */
import {
  DAY_MS,
  GiB,
  MiB,
  MINUTE_MS,
  RESOURCE_NAME,
  SECOND_MS,
  toKreError,
  Tracing,
} from '@kre/contracts'
import { z } from 'zod'
import { withoutMetadata } from './manifests/cidr.ts'
import { PublishSettings } from './publish-settings.ts'

/** A tag can come to mean another image; a digest can't. */
const Image = z
  .string()
  .max(512)
  .regex(
    /^[^\s@]+@sha256:[0-9a-f]{64}$/,
    'name the image by its digest: NAME@sha256:<64 hex digits>',
  )

const Name = z.string().max(63).regex(RESOURCE_NAME)
const Pairs = z.record(z.string().min(1).max(317), z.string())

const Toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
})

const Cidr = z.string().superRefine((cidr, issues) => {
  try {
    withoutMetadata(cidr)
  } catch (error) {
    issues.addIssue({ code: 'custom', message: toKreError(error).message })
  }
})

/** Who may be talked to: pods by their labels, or addresses; and on which TCP ports. */
export const Peer = z.union([
  z.strictObject({ cidr: Cidr, ports: z.array(z.int().min(1).max(65_535)).min(1) }),
  z.strictObject({
    /** Labels of the namespace; absent = the pods' own. */
    namespace: Pairs.optional(),
    /** Absent = all pods of the namespace. */
    pods: Pairs.optional(),
    ports: z.array(z.int().min(1).max(65_535)).min(1),
  }),
])
export type Peer = z.infer<typeof Peer>

export const KubernetesSettings = z.strictObject({
  /** Name of this installation: objects that carry it are ours, no others are touched. */
  installation: Name.default('kre'),
  /** Where versions run; it exists. */
  namespace: Name,
  images: z.strictObject({
    typescript: Image,
    python: Image,
    onnx: Image,
    entrypoint: Image,
    /** In place of a runner's, by the image that a manifest names. */
    byName: z.record(z.string(), Image).default({}),
    /** Names of Secrets with registry logins. */
    pullSecrets: z.array(Name).default([]),
    /** Folder of KRE in all of them. */
    root: z.string().startsWith('/').default('/opt/kre'),
  }),
  /** SIGTERM to exit, at most. */
  drainMs: z
    .int()
    .min(0)
    .default(30 * SECOND_MS),
  /** An entrypoint that ends goes on taking calls for so long, until nobody sends it any. */
  lameDuckMs: z
    .int()
    .min(0)
    .default(5 * SECOND_MS),
  /**
   * Told to the processes: without the engine's heartbeat for so long they drain and end. The cluster starts them again,
   * so this is no way to tidy up: it is long, because versions serve without an engine.
   */
  engineAbsenceMs: z
    .int()
    .min(SECOND_MS)
    .default(7 * DAY_MS),
  /** A pod that is not ready after so long makes its version ERROR until it is. */
  startTimeoutMs: z.int().min(SECOND_MS).default(MINUTE_MS),
  /** A container whose start takes longer is started again. */
  readyTimeoutMs: z
    .int()
    .min(SECOND_MS)
    .default(20 * MINUTE_MS),
  /**
   * Workloads that are rolled at once when they run with settings or images of an engine before this one; the next ones
   * follow when these are ready. 0 = they stay as they are until they are applied again.
   */
  rollAtOnce: z.int().min(0).max(100).default(1),
  tracing: Tracing.nullable().default(null),
  /** Of pods whose manifest says nothing. */
  resources: z
    .strictObject({
      cpuRequestMillis: z.int().min(1).default(100),
      /** Null = all that is idle on its machine. */
      cpuLimitMillis: z.int().min(1).nullable().default(null),
      memoryBytes: z
        .int()
        .min(32 * MiB)
        .default(512 * MiB),
      /** What a pod may write to its node's disk. */
      storageBytes: z
        .int()
        .min(64 * MiB)
        .default(4 * GiB),
    })
    .refine(
      ({ cpuRequestMillis, cpuLimitMillis }) => cpuRequestMillis <= (cpuLimitMillis ?? Infinity),
      {
        path: ['cpuLimitMillis'],
        message: 'is less than cpuRequestMillis: a pod may use what it asks for',
      },
    )
    .prefault({}),
  scheduling: z
    .strictObject({
      nodeSelector: Pairs.default({}),
      tolerations: z.array(Toleration).default([]),
      /** A Kubernetes `affinity`, as it is. */
      affinity: z.record(z.string(), z.unknown()).nullable().default(null),
      priorityClassName: Name.nullable().default(null),
      /** Replicas are spread over values of this label of nodes. */
      topologyKey: z.string().default('kubernetes.io/hostname'),
    })
    .prefault({}),
  gpu: z
    .strictObject({
      resource: z.string().default('nvidia.com/gpu'),
      nodeSelector: Pairs.default({ 'konstellation.io/gpu': 'true' }),
      /** Label of nodes that `gpu.class` of a manifest is a value of. */
      classLabel: z.string().default('konstellation.io/gpu-class'),
      tolerations: z.array(Toleration).default([
        { key: 'konstellation.io/gpu', operator: 'Exists', effect: 'NoSchedule' },
        { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' },
      ]),
    })
    .prefault({}),
  network: z.strictObject({
    nats: z.array(Peer).min(1),
    /** Where Python packages come from: what `python.indexUrl` leads to. */
    packages: z.array(Peer).default([]),
    dns: Peer.default({
      namespace: { 'kubernetes.io/metadata.name': 'kube-system' },
      pods: { 'k8s-app': 'kube-dns' },
      ports: [53],
    }),
    /** Who may call entrypoints, on any port; empty = everybody. */
    callers: z
      .array(z.union([z.strictObject({ cidr: Cidr }), z.strictObject({ namespace: Pairs })]))
      .default([]),
    /** What user code may reach besides NATS. */
    egress: z.array(Peer).default([]),
  }),
  /** How published entrypoints are reached from outside. */
  publish: PublishSettings.default({ mode: 'service', type: 'ClusterIP', annotations: {} }),
  /** Addresses of NATS as pods reach it; empty = as the engine does. */
  natsServers: z.array(z.string().min(1).max(512)).default([]),
  python: z
    .strictObject({
      /** Where pods get the packages of a bundle's `requirements.txt`; null = only what their image has. */
      indexUrl: z
        .url({ protocol: /^https?$/ })
        .refine((url) => !url.includes('@'), 'its login would be on every Deployment: leave it out')
        .nullable()
        .default(null),
      /** Certificate authority of the index in PEM, a path in the Python image; null = those of the image. */
      indexCaFile: z.string().startsWith('/').nullable().default(null),
    })
    .prefault({}),
  /** On every object, for example `kre.dev/project`. */
  labels: Pairs.default({}),
  annotations: Pairs.default({}),
})
export type KubernetesSettings = z.infer<typeof KubernetesSettings>
