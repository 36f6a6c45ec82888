/**
 * Requests that are kept as examples: the entrypoint says which (`controlSubject(v, 'kept')`), and each node that
 * remembers messages of them says what it knows (`controlSubject(v, 'steps')`). The engine listens to both.
 */
import { z } from 'zod'
import { SAMPLE_BYTES_MAX } from './message-samples.ts'
import { MINUTE_MS } from './units.ts'

/** Why a request is kept: every failure, the slowest of a short while, and now and then any other. */
export const KEPT_REASONS = ['failed', 'slow', 'sample'] as const
export type KeptReason = (typeof KEPT_REASONS)[number]

/** In one message of either kind. */
export const KEPT_REQUESTS_MAX = 200
export const REQUEST_STEPS_IN_MESSAGE_MAX = 500

const id = z.string().min(1).max(200)
const name = z.string().min(1).max(63)
const ms = z.number().min(0)
const unixMs = z.number().min(0).max(8.64e15)

export const KeptRequests = z.object({
  requests: z
    .array(
      z.object({
        id,
        workflow: name,
        kept: z.enum(KEPT_REASONS),
        startedUnixMs: unixMs,
        elapsedMs: ms,
        /** Time in handlers on the way of its answer. */
        handlerMs: ms,
        /** Name of the gRPC status. */
        status: z.string().max(40),
        message: z.string().max(1_000),
        attempts: z.number().int().min(0),
        requestBytes: z.number().int().min(0),
        /** Nodes say its messages, too, while the engine asks for samples. At most one a second of a workflow. */
        sampled: z.boolean().optional(),
      }),
    )
    .max(KEPT_REQUESTS_MAX),
})
export type KeptRequests = z.infer<typeof KeptRequests>

/** A message as it went over an edge. */
const MessageSnippet = z.object({
  /** Full name of its protobuf type; empty = not known. */
  type: z.string().max(500),
  /** Of the whole message. */
  bytes: z.number().int().min(0),
  /** At most its first `SAMPLE_BYTES_MAX` bytes. */
  base64: z.base64().max(Math.ceil(SAMPLE_BYTES_MAX / 3) * 4),
})
export type MessageSnippet = z.infer<typeof MessageSnippet>

/**
 * The engine asks a version's nodes for samples (`controlSubject(v, 'sample')`), again and again while somebody wants
 * them: who does not hear it any more stops by itself.
 */
export const SampleCall = z.object({
  /** For so long from now on. */
  forMs: z.number().min(0).max(MINUTE_MS),
})
export type SampleCall = z.infer<typeof SampleCall>

export const RequestSteps = z.object({
  workflow: name,
  node: name,
  steps: z
    .array(
      z.object({
        requestId: id,
        /** The same for every report of it. */
        id,
        fromNode: name,
        attempt: z.number().int().min(0),
        arrivedUnixMs: unixMs,
        /** Null = not known when it was sent. */
        transportMs: ms.nullable(),
        queueMs: ms,
        handlerMs: ms,
        ok: z.boolean(),
        bytes: z.number().int().min(0),
        /** What the node got and what it sent first, of a request that is sampled. */
        input: MessageSnippet.optional(),
        output: MessageSnippet.optional(),
      }),
    )
    .max(REQUEST_STEPS_IN_MESSAGE_MAX),
})
export type RequestSteps = z.infer<typeof RequestSteps>
