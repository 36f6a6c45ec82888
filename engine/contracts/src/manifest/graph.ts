/**
 * The one internal form of a manifest, whatever generation it was written in.
 * Ids are resource names of at most 19 characters; `name` is what the author wrote.
 */
import { z } from 'zod'
import { TensorMapping } from './tensors.ts'

export const Durability = z.enum(['fast', 'durable', 'memory'])

/** A message stream a node listens to: a node's output (channel null), one of its channels, or the request. */
export const Subscription = z.object({
  /** Node id, or `entrypoint`. */
  from: z.string(),
  channel: z.string().nullable(),
  durability: Durability,
})
export type Subscription = z.infer<typeof Subscription>

export const Resources = z.object({
  cpuMillis: z.object({ request: z.number(), limit: z.number() }).nullable(),
  memoryBytes: z.object({ request: z.number(), limit: z.number() }).nullable(),
})

/** The handler gets lists of messages. */
export const Batch = z.object({
  /** Most messages of one call. */
  maxSize: z.number(),
  /** How long the first message waits for others; 0 = not at all. */
  maxDelayMs: z.number(),
})
export type Batch = z.infer<typeof Batch>

/** As many replicas as the load needs. */
export const Autoscaling = z.object({
  /** 0 = none while nobody asks for the workflow; the first request waits until there is one again. */
  min: z.number(),
  max: z.number(),
  /** Messages per replica that wait or are in a handler. */
  targetInFlight: z.number(),
  /** A message that waits for longer asks for another replica. */
  targetQueueAgeMs: z.number(),
  /** Replicas go when fewer were enough for so long; the last one when nobody asked for so long. */
  idleMs: z.number(),
})
export type Autoscaling = z.infer<typeof Autoscaling>

export const GraphNode = z.object({
  id: z.string(),
  name: z.string(),
  image: z.string(),
  /** Path of the code in the bundle. */
  src: z.string(),
  gpu: z.object({ count: z.number(), class: z.string().nullable() }).nullable(),
  /** That a version starts with. */
  replicas: z.number(),
  /** Absent = `replicas`, whatever the load. */
  autoscaling: Autoscaling.optional(),
  subscriptions: z.array(Subscription),
  objectStore: z.object({ name: z.string(), scope: z.enum(['project', 'workflow']) }).nullable(),
  /** Handler calls in flight per replica. */
  concurrency: z.number(),
  batch: Batch.optional(),
  /** Limit of one handler call; null = the request's deadline alone. */
  timeoutMs: z.number().nullable(),
  retries: z.object({ max: z.number(), backoffMs: z.number() }),
  onError: z.enum(['fail', 'continue']),
  resources: Resources,
  /** Channels the author declared; null = not declared, so not checked. */
  channels: z.array(z.string()).nullable(),
  /** Of nodes that run a model without code. */
  tensors: TensorMapping.optional(),
})
export type GraphNode = z.infer<typeof GraphNode>

/** Whether nodes of one language that feed each other share processes; `auto`: those that declare no resources. */
export const Fuse = z.union([z.boolean(), z.literal('auto')])
export type Fuse = z.infer<typeof Fuse>

/** How much of a workflow may be under way at once. Absent = as much as the processes themselves take. */
export const WorkflowLimits = z.object({
  /** Requests between admission and answer, per entrypoint process. */
  maxInFlight: z.number().optional(),
  /** Bytes of their messages, per entrypoint process. */
  maxBytes: z.number().optional(),
  /** A message waits no longer for a handler; what would is refused at once. */
  maxQueueAgeMs: z.number().optional(),
})
export type WorkflowLimits = z.infer<typeof WorkflowLimits>

export const WorkflowGraph = z.object({
  id: z.string(),
  name: z.string(),
  /** Name of the rpc of `service Entrypoint`. */
  entrypoint: z.string(),
  /** Id of the node whose first output answers the caller. */
  exitpoint: z.string(),
  timeoutMs: z.number().nullable(),
  /** Absent = as the operator has set it. */
  fuse: Fuse.optional(),
  limits: WorkflowLimits.optional(),
  nodes: z.array(GraphNode),
})
export type WorkflowGraph = z.infer<typeof WorkflowGraph>

export const KrtManifest = z.object({
  /** Generation the file was written in; the form is the same. */
  krtVersion: z.enum(['v1', 'v2']),
  /** Id of the version. */
  version: z.string(),
  /** As written. */
  versionName: z.string(),
  description: z.string(),
  entrypoint: z.object({ proto: z.string(), image: z.string() }),
  config: z.object({
    variables: z.array(z.string()),
    files: z.array(z.string()),
    defaults: z.record(z.string(), z.string()),
  }),
  workflows: z.array(WorkflowGraph),
})
export type KrtManifest = z.infer<typeof KrtManifest>
