/** The first bytes of a message, as it went over an edge. */
export type MessagePart = {
  /** Full name of its protobuf type without a leading dot; empty = not known. */
  typeName: string
  /** Of the whole message. */
  bytes: number
  /** At most the first 16 KiB of it. */
  data: Uint8Array
}

/** What one call of a node got, and what it sent first. */
export type MessageSample = {
  requestId: string
  /** `RequestStep.id` */
  stepId: string
  workflow: string
  node: string
  /** The node that sent the message, or `entrypoint`. */
  fromNode: string
  at: Date
  input: MessagePart
  /** Null = it sent none. */
  output: MessagePart | null
}

/** A version whose messages are sampled. */
export type Sampling = { runtimeId: string; version: string; until: Date }

/** Which samples: those that came from a node, those that a node handled, or those of a request. */
export type SampleQuery =
  | { workflow: string; node: string; fromNode?: string; limit: number }
  | { requestId: string }

/** Samples that are kept of one edge, the newest. */
export const SAMPLES_PER_EDGE_MAX = 10

/**
 * Samples of messages, which are only kept while somebody asked for them; a bounded ring per edge.
 * They are contents of requests: nothing else of the engine keeps those.
 */
export interface SampleStore {
  /** Samples a version's messages until then; null = no more. What was kept stays until it expires. */
  setSampling(runtimeId: string, version: string, until: Date | null): Promise<void>
  /** Those that are in force at the moment. */
  samplings(now: Date): Promise<Sampling[]>
  samplingUntil(runtimeId: string, version: string, now: Date): Promise<Date | null>
  /** A sample that is there already stays as it is. The oldest of an edge beyond `SAMPLES_PER_EDGE_MAX` go. */
  add(runtimeId: string, version: string, samples: readonly MessageSample[]): Promise<void>
  /** Newest first. */
  list(runtimeId: string, version: string, query: SampleQuery): Promise<MessageSample[]>
  /** Forgets a version's samples, and that it is sampled. */
  remove(runtimeId: string, version: string): Promise<void>
  /** Removes samples from before, and what is not in force any more at `now`; returns how many samples. */
  expire(olderThan: Date, now: Date): Promise<number>
}
