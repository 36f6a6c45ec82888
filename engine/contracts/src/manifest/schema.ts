/**
 * The manifest as authors write it, in both generations: the one schema behind the validator, the types of the
 * draft and the JSON Schema for editors. It checks shapes; what fields mean together is checked after it.
 * Counts of lists are `meta` only: zod stops at a list that is too long, and its members have issues too.
 */
import { z } from 'zod'
import { CHANNEL_NAME } from '../names.ts'
import { Durability, Fuse } from './graph.ts'
import * as limits from './limits.ts'

const Text = z.string().min(1)
const Name = Text.meta({
  description: `Letters, digits, spaces, "-" and "_"; its id (lower case, "-" for the rest) has at most 19 characters.`,
  maxLength: limits.DISPLAY_NAME_CHARS_MAX,
})
const ConfigName = Text.meta({ pattern: '^[A-Z](?:[A-Z0-9_]{0,62}[A-Z0-9])?$' })
const Channel = Text.meta({ pattern: CHANNEL_NAME.source })
const Defaults = z.record(z.string(), z.string())
const Milliseconds = z.int().min(1).max(limits.TIMEOUT_MS_MAX)
const Count = z.int().min(0)
const BatchDelayMs = Count.max(limits.BATCH_DELAY_MS_MAX)

const Quantity = z.union([z.string().min(1), z.number()]).meta({
  description: 'A Kubernetes quantity: 250m, 1.5, 512Mi, 1Gi.',
})
const RequestAndLimit = z.strictObject({ request: Quantity.optional(), limit: Quantity.optional() })

const ObjectStore = z.strictObject({
  name: Text,
  scope: z.enum(['workflow', 'project']).optional(),
  ttl: Text.meta({ description: 'A duration: 30m, 12h, 5d.' }).optional(),
})

const TensorFields = z.record(
  z.string(),
  z.union([
    Text,
    z.strictObject({
      field: Text,
      shape: z
        .array(z.union([z.int().min(1), Text]))
        .meta({ description: 'Sizes, or integer fields of the message that hold them.' })
        .optional(),
    }),
  ]),
)
const Tensors = z
  .strictObject({
    input: Text.meta({ description: 'The message that the model reads.' }).optional(),
    output: Text.meta({ description: 'The message that the node sends.' }).optional(),
    inputs: TensorFields.optional(),
    outputs: TensorFields.optional(),
  })
  .meta({ description: 'Of nodes with an ONNX image: which field feeds or takes which tensor.' })

/** Everything of a node but what it listens to, which the generations write differently. */
const nodeFields = {
  name: Name,
  image: Text.meta({
    description: '[registry[:port]/]path[:tag][@digest]; it selects the runner.',
  }),
  src: Text.meta({ description: 'Path of the code in the bundle.' }),
  gpu: z
    .union([
      z.boolean(),
      z.strictObject({
        count: z.int().min(1).max(limits.GPU_COUNT_MAX).optional(),
        class: Text.optional(),
      }),
    ])
    .optional(),
  replicas: z.int().min(0).max(limits.REPLICAS_MAX).optional(),
  objectStore: ObjectStore.optional(),
  resources: z
    .strictObject({ cpu: RequestAndLimit.optional(), memory: RequestAndLimit.optional() })
    .optional(),
  concurrency: z.int().min(1).max(limits.CONCURRENCY_MAX).optional(),
  timeoutMs: Milliseconds.optional(),
  retries: z
    .strictObject({
      max: z.int().min(0).max(limits.RETRIES_MAX).optional(),
      backoffMs: z.int().min(0).max(limits.BACKOFF_MS_MAX).optional(),
    })
    .optional(),
  onError: z.enum(['fail', 'continue']).optional(),
  channels: z.array(Channel).meta({ maxItems: limits.CHANNELS_MAX }).optional(),
  autoscaling: z
    .strictObject({
      min: Count.max(limits.REPLICAS_MAX)
        .meta({ description: '0 = none while nobody asks: the first request waits for it.' })
        .optional(),
      max: z.int().min(1).max(limits.REPLICAS_MAX).optional(),
      targetInFlight: z
        .int()
        .min(1)
        .max(limits.IN_FLIGHT_MAX)
        .meta({ description: 'Messages per replica that wait or are handled.' })
        .optional(),
      targetQueueAgeMs: Milliseconds.meta({
        description: 'A message that waits for longer asks for another replica.',
      }).optional(),
      idleMs: z
        .int()
        .min(limits.AUTOSCALING_IDLE_MS_MIN)
        .max(limits.TIMEOUT_MS_MAX)
        .meta({ description: 'Replicas go when fewer were enough for so long.' })
        .optional(),
      targetCpuPercent: z.int().min(1).max(100).optional(),
    })
    .meta({ description: 'In place of `replicas`: as many as the load needs.' })
    .optional(),
  nodeSelectors: z.record(z.string(), z.string()).optional(),
  batch: z
    .strictObject({
      maxSize: z.int().min(1).max(limits.BATCH_SIZE_MAX),
      maxDelayMs: BatchDelayMs.optional(),
      maxWaitMs: BatchDelayMs.meta({ description: 'Another name of maxDelayMs.' }).optional(),
    })
    .optional(),
  tensors: Tensors.optional(),
  maxRevisits: z.int().min(1).max(1_000).optional(),
  config: Defaults.optional(),
  secrets: z.array(Text).optional(),
}

const Subscription = z.union([
  Text,
  z.strictObject({ from: Text, durability: Durability.optional() }),
])

const workflowFields = {
  name: Name,
  entrypoint: Text.meta({ description: 'An rpc of `service Entrypoint`.' }),
  timeoutMs: Milliseconds.optional(),
  type: z.enum(['data', 'training', 'feedback', 'serving']).optional(),
  durability: z.enum(['sync', 'accepted']).optional(),
  fuse: Fuse.meta({
    description:
      'Whether nodes that feed each other share processes; auto = those without resources.',
  }).optional(),
  limits: z
    .strictObject({
      maxInFlight: z.int().min(1).max(limits.IN_FLIGHT_MAX).optional(),
      maxBytes: Quantity.optional(),
      maxQueueAgeMs: Milliseconds.optional(),
    })
    .meta({ description: 'How much may be under way at once; more is refused at once.' })
    .optional(),
  config: Defaults.optional(),
}

const NodeV1 = z.strictObject(nodeFields)
const NodeV2 = z.strictObject({
  ...nodeFields,
  subscriptions: z
    .array(Subscription)
    .meta({
      description: '`entrypoint`, `<node>` or `<node>.<channel>`.',
      minItems: 1,
      maxItems: limits.SUBSCRIPTIONS_MAX,
    })
    .optional(),
})

const Trigger = z.strictObject({
  workflow: Text.optional(),
  rest: z.strictObject({ path: Text }).optional(),
  cron: z.strictObject({ schedule: Text, message: z.unknown().optional() }).optional(),
  webhook: z
    .strictObject({ provider: Text, events: z.array(Text).optional(), secret: Text.optional() })
    .optional(),
})

const manifestFields = {
  version: Name,
  description: Text.meta({ maxLength: limits.DESCRIPTION_CHARS_MAX }),
  entrypoint: z.strictObject({
    proto: Text.meta({ pattern: '\\.proto$' }),
    image: Text,
    src: z.string().meta({ deprecated: true, description: 'Has no effect.' }).optional(),
  }),
  config: z
    .strictObject({
      variables: z.array(ConfigName).optional(),
      files: z.array(ConfigName).optional(),
      defaults: Defaults.optional(),
    })
    .optional(),
  triggers: z.array(Trigger).optional(),
}

/** Linear workflows over nodes that all workflows share. */
export const ManifestV1 = z.strictObject({
  krtVersion: z.enum(['v1']).optional(),
  ...manifestFields,
  nodes: z.array(NodeV1),
  workflows: z
    .array(
      z.strictObject({
        ...workflowFields,
        sequential: z.array(Text).meta({ minItems: 1, maxItems: limits.NODES_MAX }),
      }),
    )
    .meta({ minItems: 1, maxItems: limits.WORKFLOWS_MAX }),
})
export type ManifestV1 = z.infer<typeof ManifestV1>

/** Graphs: every workflow has nodes of its own, which subscribe to each other. */
export const ManifestV2 = z.strictObject({
  krtVersion: z.enum(['v2']).optional(),
  ...manifestFields,
  workflows: z
    .array(
      z.strictObject({
        ...workflowFields,
        exitpoint: Text,
        nodes: z.array(NodeV2).meta({ minItems: 1, maxItems: limits.NODES_MAX }),
      }),
    )
    .meta({ minItems: 1, maxItems: limits.WORKFLOWS_MAX }),
})
export type ManifestV2 = z.infer<typeof ManifestV2>

/** What is left of a value when the parts that break the schema are taken out; lists keep their indexes. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? (Draft<Item> | undefined)[]
  : T extends object
    ? { [Key in keyof T]?: Draft<T[Key]> | undefined }
    : T

export type NodeDraft = Draft<z.infer<typeof NodeV2>>
export type SubscriptionDraft = Draft<z.infer<typeof Subscription>>
export type WorkflowDraft = Draft<ManifestV2['workflows'][number]>
export type SequentialDraft = Draft<ManifestV1['workflows'][number]>
/** The fields that both generations share. */
export type CommonDraft = Draft<Omit<ManifestV1, 'krtVersion' | 'nodes' | 'workflows'>>
