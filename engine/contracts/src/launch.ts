/**
 * What a process of a version is told when it starts: a JSON file of mode 0600 whose path is in `KRE_LAUNCH_FILE`.
 * `Spec` is the part that the converger decides; the target adds places, ports and credentials.
 */
import { z } from 'zod'
import { EntrypointMethod } from './bundle.ts'
import { Batch, Subscription, WorkflowLimits } from './manifest/graph.ts'
import { TensorMapping } from './manifest/tensors.ts'

/**
 * How a process speaks TLS to NATS; that it is there demands TLS. The texts themselves, because pods and isolated nodes
 * see no file of the engine.
 */
export const NatsTls = z.object({
  /** Authorities in PEM that may vouch for the server; absent = those that Node.js trusts. */
  ca: z.string().optional(),
  /** What the process shows where the server asks for it, in PEM, and its key, which is secret. Never the engine's. */
  cert: z.string().optional(),
  key: z.string().optional(),
  /** Has to be in the server's certificate; absent = the host name of its address. */
  serverName: z.string().optional(),
  /** The handshake comes before the server's greeting, as it does where the server has `handshake_first`. */
  handshakeFirst: z.boolean().optional(),
})
export type NatsTls = z.infer<typeof NatsTls>

/** Who a process is on a server that knows accounts. */
export const NatsCredentials = z.object({
  /** Says what its holder may do, signed by the account. No secret. */
  jwt: z.string(),
  /** nkey seed of the user that the JWT is about. Secret. */
  seed: z.string(),
  /** The server ends connections with them then; null = never. */
  expiresUnixMs: z.number().nullable(),
  /** File in which the next ones appear before these expire; absent = there are none. */
  renewalPath: z.string().optional(),
})
export type NatsCredentials = z.infer<typeof NatsCredentials>

/** What appears in the file of `renewalPath`. */
export const NatsRenewal = NatsCredentials.extend({
  /** As the engine has it now, in place of what the launch file says. */
  tls: NatsTls.optional(),
})
export type NatsRenewal = z.infer<typeof NatsRenewal>

export const NatsAccess = z.object({
  servers: z.array(z.string()),
  /** Empty = without a password, or with credentials. */
  user: z.string(),
  password: z.string(),
  credentials: NatsCredentials.optional(),
  /** Start of the subjects that answers come to; absent = `_INBOX`. */
  inboxPrefix: z.string().optional(),
  /** Absent = without TLS, unless the server wants it. */
  tls: NatsTls.optional(),
})
export type NatsAccess = z.infer<typeof NatsAccess>

/** One node of a workflow. */
export const NodeMember = z.object({
  kind: z.literal('node'),
  runtimeId: z.string(),
  version: z.string(),
  versionId: z.string(),
  bundleDigest: z.string(),
  workflow: z.string(),
  workflowName: z.string(),
  node: z.string(),
  nodeName: z.string(),
  image: z.string(),
  /** `onnx` runs the model at `src` without code. */
  runner: z.enum(['typescript', 'python', 'onnx']),
  /** Path inside the bundle. */
  src: z.string(),
  subscriptions: z.array(Subscription),
  /** What somebody listens to of this node's output: channels, null = messages without one. */
  outputs: z.array(z.string().nullable()),
  /** Those of `outputs` that nobody outside of the node's process listens to. Absent = none. */
  localOutputs: z.array(z.string().nullable()).optional(),
  /** Those of `outputs` that a node listens to which may sleep: a message for it waits until it is awake. Absent = none. */
  sleeperOutputs: z.array(z.string().nullable()).optional(),
  /** Whether its first output without a channel answers the caller. */
  isExitpoint: z.boolean(),
  /** Full names of the workflow's rpc messages. */
  requestType: z.string(),
  responseType: z.string(),
  /** The rpc returns a stream: outputs of the exitpoint are its frames. Absent = one answer. */
  serverStreaming: z.boolean().optional(),
  /** Largest message it may send; absent = the engine's default. */
  payloadBytesMax: z.number().optional(),
  concurrency: z.number(),
  batch: Batch.optional(),
  timeoutMs: z.number().nullable(),
  /** A message waits no longer for a handler. Absent = as long as its deadline and the node's load allow. */
  maxQueueAgeMs: z.number().optional(),
  retries: z.object({ max: z.number(), backoffMs: z.number() }),
  /** Of `onnx` nodes: which fields hold which tensors, and the threads that one run may use. */
  model: z.object({ tensors: TensorMapping, threads: z.number() }).optional(),
  /** JetStream buckets, made by the NATS manager. */
  objectBucket: z.string().nullable(),
  keyValueBuckets: z.object({ project: z.string(), workflow: z.string(), node: z.string() }),
  /** Values of `config.variables` and contents of `config.files`. Secret. */
  config: z.object({
    variables: z.record(z.string(), z.string()),
    files: z.record(z.string(), z.string()),
  }),
})
export type NodeMember = z.infer<typeof NodeMember>

/** What one process runs. */
export const NodeSpec = NodeMember.extend({
  /** Further nodes of the workflow that share the process; messages between them do not leave it. Absent = none. */
  fused: z.array(NodeMember).optional(),
})
export type NodeSpec = z.infer<typeof NodeSpec>

export const EntrypointSpec = z.object({
  kind: z.literal('entrypoint'),
  runtimeId: z.string(),
  /** The version it serves; null = the published one, by the runtime's routing table. */
  version: z.string().nullable(),
  versionId: z.string().nullable(),
  requestTimeoutMs: z.number(),
  payloadBytesMax: z.number(),
  reflection: z.boolean(),
  /** Origins of web pages that may read answers, `*` = any; absent = none. */
  cors: z.object({ origins: z.array(z.string()) }).optional(),
})
export type EntrypointSpec = z.infer<typeof EntrypointSpec>

/** Where spans go, and how many requests have them besides those whose caller asks for it. */
export const Tracing = z.object({
  /** Base of an OTLP/HTTP receiver: `http://127.0.0.1:4318`. */
  endpoint: z.string(),
  /** 0 .. 1 */
  sampleRatio: z.number(),
})
export type Tracing = z.infer<typeof Tracing>

const Place = {
  nats: NatsAccess,
  /** 0 .. replicas-1 */
  replica: z.number(),
  /** SIGTERM to exit, at most. */
  drainMs: z.number(),
  /** Without the engine's heartbeat for so long, the process drains and ends. */
  engineAbsenceMs: z.number(),
  /** Absent = no spans. */
  tracing: Tracing.optional(),
}

export const NodeLaunch = NodeSpec.extend({
  ...Place,
  /** Root of the extracted bundle, read-only; `KRT_BASE_PATH`. */
  basePath: z.string(),
  /** FileDescriptorSet of the bundle's protos (binary file). */
  descriptorSetPath: z.string(),
  /**
   * Folder with the bundle's files in TypeScript without types: `src/etl.ts.js` for `src/etl.ts`. Absent, or without a
   * file = Node strips types itself.
   */
  strippedPath: z.string().optional(),
  /** Own writable folder: files of the configuration, the worker's socket, the journal of calls in flight. */
  workPath: z.string(),
  /** Python nodes: interpreter (of the bundle's environment where it has one) and folders to add to `sys.path`. */
  python: z.object({ executable: z.string(), path: z.array(z.string()) }).nullable(),
})
export type NodeLaunch = z.infer<typeof NodeLaunch>

export const EntrypointLaunch = EntrypointSpec.extend({
  ...Place,
  /** An empty host = all addresses, of IPv4 and of IPv6. */
  listen: z.object({ host: z.string(), port: z.number() }),
})
export type EntrypointLaunch = z.infer<typeof EntrypointLaunch>

export const Launch = z.discriminatedUnion('kind', [NodeLaunch, EntrypointLaunch])
export type Launch = z.infer<typeof Launch>

/**
 * How an entrypoint serves a version; stored by the NATS manager under `interfaceKey(version)`
 * of the runtime's routing bucket before anything of the version starts.
 */
export const VersionInterface = z.object({
  runtimeId: z.string(),
  version: z.string(),
  versionId: z.string(),
  bundleDigest: z.string(),
  methods: z.array(EntrypointMethod),
  workflows: z.array(
    z.object({
      id: z.string(),
      /** Deadline when the caller gave none, and its upper bound; null = the entrypoint's. */
      timeoutMs: z.number().nullable(),
      /**
       * Nodes come one after the other, so that nothing of a request runs once the last one has answered it; absent =
       * not so.
       */
      isChain: z.boolean().optional(),
      /** Absent = none but those of the process. */
      limits: WorkflowLimits.optional(),
      /** Ids of all nodes: a request is taken only when each has announced itself ready with the digest. */
      nodes: z.array(z.string()),
      /** Those of `nodes` that may have no replica while nobody asks: a request waits until they are awake. Absent = none. */
      sleepers: z.array(z.string()).optional(),
    }),
  ),
  /** base64 */
  descriptorSet: z.string(),
})
export type VersionInterface = z.infer<typeof VersionInterface>

/** The routing table of a runtime under `ROUTING_KEY`: publish is one compare-and-set write of it. */
export const RoutingTable = z.object({
  /** Generation of the release it came from. */
  generation: z.number(),
  published: z.string().nullable(),
})
export type RoutingTable = z.infer<typeof RoutingTable>
