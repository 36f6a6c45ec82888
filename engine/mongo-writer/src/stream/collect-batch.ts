import { MiB, SECOND_MS } from '@kre/contracts'
import { pause } from '../timing/pause.ts'
import type { Delivery } from './delivery.ts'
import type { Puller, PullResult } from './puller.ts'

/** One write of the store holds at most this many messages … */
const BATCH_MESSAGES_MAX = 500
/** … and, beyond its first message, bytes. */
const BATCH_BYTES_MAX = 5 * MiB
/** How long the first message of a batch waits for others, unless its sender waits for it. */
const BATCH_WAIT_MS = 50
/** One request for the next message stands this long on the server; short, because a lost one isn't noticed earlier … */
const IDLE_WAIT_MS = 1 * SECOND_MS
const IDLE_WAIT_MS_MAX = 30 * SECOND_MS
/** … and longer where there are many streams, so that all of them together ask at most so often. */
const IDLE_PER_SECOND = 25

/** @param streams that are consumed beside each other, this one included. */
export function idleWaitMs(streams: number): number {
  const fair = (streams * SECOND_MS) / IDLE_PER_SECOND
  return Math.min(IDLE_WAIT_MS_MAX, Math.max(IDLE_WAIT_MS, fair))
}

/** The next batch; empty when nothing came for a while. @param waitMs for its first message. */
export async function collectBatch(
  puller: Puller,
  signal: AbortSignal,
  waitMs = IDLE_WAIT_MS,
): Promise<PullResult> {
  const first = await puller.pull({ messagesMax: 1, waitMs }, signal)
  if (first.messages.length === 0) return first
  const messages = [...first.messages]
  await addMore(puller, messages, signal)
  if (messages.length < BATCH_MESSAGES_MAX && !messages.some(isAwaited)) {
    await pause(BATCH_WAIT_MS, signal)
    await addMore(puller, messages, signal)
  }
  return { messages, missing: null }
}

async function addMore(puller: Puller, messages: Delivery[], signal: AbortSignal): Promise<void> {
  const bytes = messages.reduce((sum, message) => sum + message.data.length, 0)
  const messagesMax = BATCH_MESSAGES_MAX - messages.length
  const bytesMax = BATCH_BYTES_MAX - bytes
  if (messagesMax <= 0 || bytesMax <= 0 || signal.aborted) return
  const more = await puller.pull({ messagesMax, bytesMax, waitMs: 0 }, signal)
  messages.push(...more.messages)
}

function isAwaited(message: Delivery): boolean {
  return message.storedReply !== null
}
