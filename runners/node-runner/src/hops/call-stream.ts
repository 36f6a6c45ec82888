/** The frames that one call of a handler sends to the caller: in order, and no more than the caller takes. */
import { decodeEnvelope, KreError, MESSAGE_TYPE, MiB, type Envelope } from '@kre/contracts/runtime'
import { isNoListener, type Inbox } from '@kre/core-nats'

/** Frames, and their bytes, that may be on their way without the entrypoint's word that they were taken. */
const WINDOW_FRAMES = 64
const WINDOW_BYTES = 1 * MiB
/** For handlers that do not await what they write: more waiting bytes than these are refused. */
const WAITING_BYTES_MAX = 16 * MiB
const WAITING_FRAMES_MAX = 16_384

export type CallStream = {
  /**
   * Sends a frame, or keeps it until there is room.
   *
   * @param envelope its sequence is set here.
   * @param bytes of the payload, before it was compressed.
   * @returns undefined when it is sent; otherwise resolves when it is.
   * @throws KreError `resource-exhausted` when too much waits already.
   */
  write(envelope: Envelope, bytes: number): Promise<void> | undefined
  /** Sends the end of the answer, after all that was written. Returns and throws as `write`. */
  end(envelope: Envelope): Promise<void> | undefined
  /** Whether frames were sent: the call can't be tried again without repeating them. */
  readonly hasSent: boolean
  /** Resolves when nothing waits; undefined when that is so now. */
  settled(): Promise<void> | undefined
  /** Nothing is sent any more; what waits is rejected. */
  close(reason: Error): void
}

type Waiting = {
  readonly envelope: Envelope
  readonly bytes: number
  readonly isEnd: boolean
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/**
 * @param send publishes to the caller; `creditSubject` is where the answer to it goes.
 * @param onStopped nobody takes the frames any more: the caller has gone, or the entrypoint.
 */
export function openCallStream(
  inbox: Inbox,
  send: (envelope: Envelope, creditSubject: string) => void,
  onStopped: (reason: KreError) => void,
): CallStream {
  /** Bytes of the frames that were sent and not taken yet, oldest first. */
  let untaken: number[] = []
  let untakenBytes = 0
  let taken = 0
  let written = 0
  let waiting: Waiting[] = []
  let waitingBytes = 0
  let closed: Error | null = null
  let onSettled: (() => void) | null = null

  const hasRoom = () => untaken.length < WINDOW_FRAMES && untakenBytes < WINDOW_BYTES
  const sendNow = (envelope: Envelope, bytes: number, isEnd: boolean) => {
    send(envelope, credit.subject)
    if (isEnd) return
    untaken.push(bytes)
    untakenBytes += bytes
  }
  const sendWaiting = () => {
    let sent = 0
    for (const { envelope, bytes, isEnd, resolve, reject } of waiting) {
      if (!isEnd && !hasRoom()) break
      sent++
      waitingBytes -= envelope.value.length
      try {
        sendNow(envelope, bytes, isEnd)
        resolve()
      } catch (error) {
        reject(error)
      }
    }
    if (sent > 0) waiting = waiting.slice(sent)
    if (waiting.length === 0) onSettled?.()
  }
  const take = (upTo: number) => {
    const count = Math.min(Math.max(upTo - taken, 0), untaken.length)
    for (const bytes of untaken.slice(0, count)) untakenBytes -= bytes
    untaken = untaken.slice(count)
    taken += count
    if (count > 0) sendWaiting()
  }
  const close = (reason: Error) => {
    if (closed !== null) return
    closed = reason
    credit.forget()
    const left = waiting
    waiting = []
    for (const { reject } of left) reject(reason)
    onSettled?.()
  }
  const stop = (reason: KreError) => {
    close(reason)
    onStopped(reason)
  }
  const credit = inbox.expect((answer) => {
    if (isNoListener(answer)) return stop(new KreError('unavailable', ENTRYPOINT_GONE))
    const { messageType, sequence, error } = decodeEnvelope(answer.data)
    if (messageType === MESSAGE_TYPE.credit) take(sequence)
    else if (messageType === MESSAGE_TYPE.error) stop(new KreError('cancelled', error))
  })
  const enqueue = (
    envelope: Envelope,
    bytes: number,
    isEnd: boolean,
  ): Promise<void> | undefined => {
    if (closed !== null) throw closed
    if (waiting.length === 0 && (isEnd || hasRoom())) {
      sendNow(envelope, bytes, isEnd)
      return undefined
    }
    if (waitingBytes > WAITING_BYTES_MAX || waiting.length >= WAITING_FRAMES_MAX)
      throw new KreError('resource-exhausted', NOT_AWAITED)
    waitingBytes += envelope.value.length
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    waiting.push({ envelope, bytes, isEnd, resolve, reject })
    return promise
  }

  return {
    get hasSent() {
      return written > 0
    },
    write(envelope, bytes) {
      envelope.sequence = written + 1
      const sent = enqueue(envelope, bytes, false)
      written++
      return sent
    },
    end(envelope) {
      envelope.sequence = written
      return enqueue(envelope, 0, true)
    },
    settled() {
      if (waiting.length === 0) return undefined
      return new Promise((resolve, reject) => {
        onSettled = () => (closed === null ? resolve() : reject(closed))
      })
    },
    close,
  }
}

const ENTRYPOINT_GONE = 'the entrypoint that waits for this stream is gone'
const NOT_AWAITED =
  'more messages of the stream wait for the caller than are kept: await each ctx.stream.write, and each ctx.sendOutput of the exitpoint'
