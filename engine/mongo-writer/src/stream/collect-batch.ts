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
/** One request for the next message stands this long on the server; short, because a lost one isn't noticed earlier. */
const IDLE_WAIT_MS = 1 * SECOND_MS

/** The next batch; empty when nothing came for a while. */
export async function collectBatch(puller: Puller, signal: AbortSignal): Promise<PullResult> {
  const first = await puller.pull({ messagesMax: 1, waitMs: IDLE_WAIT_MS }, signal)
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
