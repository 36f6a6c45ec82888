/**
 * What is known of one streamed answer: whose frames it takes, whether all of them came, and what their senders may
 * send. Pure; the broker does what it says.
 */

/** A call of a handler that sends frames, by the subject on which it hears of credit. */
export type Producer = {
  readonly creditSubject: string
  /** Number of its last frame that came. */
  received: number
  /** Up to which frame it knows that they were taken. */
  granted: number
  /** Bytes of the frames between the two. */
  bytes: number
  /** It has said that there are no more. */
  hasEnded: boolean
}

export type AnswerStream = {
  /** Which sending of the request the frames belong to; 0 = none has come. */
  attempt: number
  /** Frames that were given to the caller. */
  delivered: number
  /** The caller reads more slowly than frames come. */
  isBlocked: boolean
  /** Messages that wait for the payload of the one before them; null = none is being read. */
  waiting: (() => void)[] | null
  readonly producers: Map<string, Producer>
}

/** Frames and bytes of one sender that are confirmed in one message: a fraction of what it may send unconfirmed. */
const GRANT_FRAMES = 16
const GRANT_BYTES = 256 * 1024
/** Senders that are remembered; those that were silent for longest are forgotten first. */
const PRODUCERS_MAX = 1024

export function createAnswerStream(): AnswerStream {
  return { attempt: 0, delivered: 0, isBlocked: false, waiting: null, producers: new Map() }
}

/** What a frame or an end means: `next` in order, `repeated` = seen before, `gap` = frames before it are missing. */
export type Place = 'next' | 'repeated' | 'gap'

/** @param sequence of a frame, from 1. */
export function takeFrame(
  stream: AnswerStream,
  creditSubject: string,
  sequence: number,
  bytes: number,
): Place {
  const producer = producerOf(stream, creditSubject)
  if (sequence <= producer.received) return 'repeated'
  if (sequence !== producer.received + 1) return 'gap'
  producer.received = sequence
  producer.bytes += bytes
  stream.delivered++
  return 'next'
}

/** @param frames that the sender says it has sent. */
export function takeEnd(
  stream: AnswerStream,
  creditSubject: string,
  frames: number,
): 'complete' | 'gap' {
  const producer = producerOf(stream, creditSubject)
  producer.hasEnded = true
  return frames === producer.received ? 'complete' : 'gap'
}

/** Whether a sender should be told now that its frames were taken. */
export function isGrantDue(producer: Producer): boolean {
  const frames = producer.received - producer.granted
  return frames >= GRANT_FRAMES || producer.bytes >= GRANT_BYTES
}

/** The sender is told of all frames that came. @returns the number to tell. */
export function grant(producer: Producer): number {
  producer.granted = producer.received
  producer.bytes = 0
  return producer.received
}

export function producerOf(stream: AnswerStream, creditSubject: string): Producer {
  const { producers } = stream
  const known = producers.get(creditSubject)
  const producer = known ?? {
    creditSubject,
    received: 0,
    granted: 0,
    bytes: 0,
    hasEnded: false,
  }
  // The latest is last, so that the first one is the one to forget.
  if (known !== undefined) producers.delete(creditSubject)
  producers.set(creditSubject, producer)
  if (producers.size > PRODUCERS_MAX) {
    for (const [oldest] of producers) {
      producers.delete(oldest)
      break
    }
  }
  return producer
}
