/** The messages that runner processes read, under the names of their schemas. A test compares the two. */
import type { EntrypointMethod } from '../bundle.ts'
import type * as launch from '../launch.ts'
import type * as messages from '../messages.ts'
import type { Batch, Subscription, WorkflowLimits } from '../manifest/graph.ts'
import type { TensorField, TensorMapping } from '../manifest/tensors.ts'
import {
  anything,
  flag,
  listOf,
  nullable,
  number,
  object,
  oneOf,
  optional,
  recordOf,
  text,
  variants,
  type Shape,
} from './shape.ts'

export type NodeLaunch = launch.NodeLaunch
export type NodeMember = launch.NodeMember
export type NatsCredentials = launch.NatsCredentials
export type NatsRenewal = launch.NatsRenewal
export type NatsAccess = launch.NatsAccess
export type EntrypointLaunch = launch.EntrypointLaunch
export type VersionInterface = launch.VersionInterface
export type RoutingTable = launch.RoutingTable
export type Announcement = messages.Announcement
export type DeathNotice = messages.DeathNotice
export type Cancellation = messages.Cancellation
export type StoredReply = messages.StoredReply
export type FindReply = messages.FindReply

const subscription = object<Subscription>({
  from: text,
  channel: nullable(text),
  durability: oneOf('fast', 'durable', 'memory'),
})

const tensorField = object<TensorField>({
  field: text,
  shape: nullable(listOf(anything as Shape<number | string>)),
})
const tensorMapping = object<TensorMapping>({
  input: nullable(text),
  output: nullable(text),
  inputs: recordOf(tensorField),
  outputs: recordOf(tensorField),
})

const natsTls = object<launch.NatsTls>({
  ca: optional(text),
  cert: optional(text),
  key: optional(text),
  serverName: optional(text),
  handshakeFirst: optional(flag),
})
const natsCredentials = {
  jwt: text,
  seed: text,
  expiresUnixMs: nullable(number),
  renewalPath: optional(text),
}
export const NatsCredentials = object<launch.NatsCredentials>(natsCredentials)
export const NatsRenewal = object<launch.NatsRenewal>({
  ...natsCredentials,
  tls: optional(natsTls),
})
export const NatsAccess = object<launch.NatsAccess>({
  servers: listOf(text),
  user: text,
  password: text,
  credentials: optional(NatsCredentials),
  inboxPrefix: optional(text),
  tls: optional(natsTls),
})

const place = {
  nats: NatsAccess,
  replica: number,
  drainMs: number,
  engineAbsenceMs: number,
  tracing: optional(object<launch.Tracing>({ endpoint: text, sampleRatio: number })),
}

const nodeMember = {
  kind: oneOf('node'),
  runtimeId: text,
  version: text,
  versionId: text,
  bundleDigest: text,
  workflow: text,
  workflowName: text,
  node: text,
  nodeName: text,
  image: text,
  runner: oneOf('typescript', 'python', 'onnx'),
  src: text,
  subscriptions: listOf(subscription),
  outputs: listOf(nullable(text)),
  localOutputs: optional(listOf(nullable(text))),
  sleeperOutputs: optional(listOf(nullable(text))),
  isExitpoint: flag,
  requestType: text,
  responseType: text,
  serverStreaming: optional(flag),
  payloadBytesMax: optional(number),
  concurrency: number,
  batch: optional(object<Batch>({ maxSize: number, maxDelayMs: number })),
  timeoutMs: nullable(number),
  maxQueueAgeMs: optional(number),
  retries: object<NodeMember['retries']>({ max: number, backoffMs: number }),
  model: optional(
    object<NonNullable<NodeMember['model']>>({ tensors: tensorMapping, threads: number }),
  ),
  objectBucket: nullable(text),
  keyValueBuckets: object<NodeMember['keyValueBuckets']>({
    project: text,
    workflow: text,
    node: text,
  }),
  config: object<NodeMember['config']>({ variables: recordOf(text), files: recordOf(text) }),
}

export const NodeLaunch: Shape<NodeLaunch> = object<NodeLaunch>(
  {
    ...nodeMember,
    fused: optional(listOf(object<NodeMember>(nodeMember))),
    ...place,
    basePath: text,
    descriptorSetPath: text,
    strippedPath: optional(text),
    workPath: text,
    python: nullable(
      object<NonNullable<NodeLaunch['python']>>({ executable: text, path: listOf(text) }),
    ),
  },
  'the launch file',
)

export const EntrypointLaunch: Shape<EntrypointLaunch> = object<EntrypointLaunch>(
  {
    kind: oneOf('entrypoint'),
    runtimeId: text,
    version: nullable(text),
    versionId: nullable(text),
    requestTimeoutMs: number,
    payloadBytesMax: number,
    reflection: flag,
    cors: optional(object<NonNullable<EntrypointLaunch['cors']>>({ origins: listOf(text) })),
    ...place,
    listen: object<EntrypointLaunch['listen']>({ host: text, port: number }),
  },
  'the launch file',
)

export const VersionInterface: Shape<VersionInterface> = object<VersionInterface>(
  {
    runtimeId: text,
    version: text,
    versionId: text,
    bundleDigest: text,
    methods: listOf(
      object<EntrypointMethod>({
        path: text,
        rpc: text,
        requestType: text,
        responseType: text,
        serverStreaming: optional(flag),
        workflow: nullable(text),
      }),
    ),
    workflows: listOf(
      object<VersionInterface['workflows'][number]>({
        id: text,
        timeoutMs: nullable(number),
        isChain: optional(flag),
        limits: optional(
          object<WorkflowLimits>({
            maxInFlight: optional(number),
            maxBytes: optional(number),
            maxQueueAgeMs: optional(number),
          }),
        ),
        nodes: listOf(text),
        sleepers: optional(listOf(text)),
      }),
    ),
    descriptorSet: text,
  },
  'the interface',
)

export const RoutingTable: Shape<RoutingTable> = object<RoutingTable>(
  { generation: number, published: nullable(text) },
  'the routing table',
)

export const Announcement: Shape<Announcement> = object<Announcement>(
  {
    role: oneOf('node', 'entrypoint'),
    runtimeId: text,
    version: nullable(text),
    workflow: nullable(text),
    node: nullable(text),
    replica: number,
    incarnation: text,
    pid: number,
    bundleDigest: nullable(text),
    state: oneOf('ready', 'draining'),
    interrupted: listOf(text),
    address: nullable(text),
  },
  'the announcement',
)

export const DeathNotice: Shape<DeathNotice> = object<DeathNotice>(
  {
    workflow: text,
    node: text,
    replica: number,
    pid: number,
    interrupted: listOf(text),
    reason: text,
  },
  'the death notice',
)

export const Cancellation: Shape<Cancellation> = object<Cancellation>(
  { requestIds: listOf(text) },
  'the cancellation',
)

export const StoredReply: Shape<StoredReply> = object<StoredReply>(
  { success: flag, error: optional(text) },
  "the store's reply",
)

type Found = Extract<FindReply, { success: true }>
type NotFound = Extract<FindReply, { success: false }>
export const FindReply: Shape<FindReply> = variants<FindReply>(
  'success',
  new Map<boolean, Shape<Found> | Shape<NotFound>>([
    [true, object<Found>({ success: oneOf(true), documents: listOf(recordOf(anything)) })],
    [false, object<NotFound>({ success: oneOf(false), error: text })],
  ]),
  "the store's reply",
)
