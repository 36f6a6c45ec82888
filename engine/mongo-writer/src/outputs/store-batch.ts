import { setImmediate as nextTurn } from 'node:timers/promises'
import type { OutputStore, SetAsideMessage } from '@kre/store'
import type { Delivery } from '../stream/delivery.ts'
import { readOutput } from './read-output.ts'
import { writeRecords, type Item, type Refused } from './write-records.ts'

/** What became of a batch. */
export type BatchOutcome = {
  /** Records that the store has. */
  stored: number
  hasLogs: boolean
  /** Reasons of the messages, and of the lines of some, that were set aside. */
  setAside: string[]
  /** Deliveries that went back into the stream. */
  returned: number
  /** Why the store took less than it was given; null = it took everything. */
  failure: unknown
}

export type StoreBatchDeps = {
  outputs: Pick<OutputStore, 'write' | 'setAside'>
  /** Tells the sender who waits. */
  reply: (delivery: Delivery, error: string | null) => void
  now: () => Date
}

/**
 * So many records, and those of the message that goes beyond it, are read, written and forgotten before the next:
 * a message has up to a thousand lines, and meanwhile whoever else lives in the process waits.
 */
const SLICE_RECORDS = 500

/**
 * Writes one batch and answers each of its deliveries: acknowledged only when all of it is stored, set aside when it
 * never can be, given back for `retryMs` when the store fails. Never throws.
 */
export async function storeBatch(
  deps: StoreBatchDeps,
  runtimeId: string,
  deliveries: readonly Delivery[],
  retryMs: number,
): Promise<BatchOutcome> {
  const total: BatchOutcome = {
    stored: 0,
    hasLogs: false,
    setAside: [],
    returned: 0,
    failure: null,
  }
  for (let begin = 0; begin < deliveries.length;) {
    const slice = readSlice(runtimeId, deliveries, begin)
    begin = slice.end
    const isDown = await storeSlice(deps, runtimeId, slice, retryMs, total)
    if (isDown) {
      for (const delivery of deliveries.slice(begin)) delivery.nak(retryMs)
      total.returned += deliveries.length - begin
      return total
    }
    if (begin < deliveries.length) await nextTurn()
  }
  return total
}

type Slice = {
  items: Item[]
  refused: Refused[]
  deliveries: readonly Delivery[]
  /** Index of the first delivery behind it. */
  end: number
}

function readSlice(runtimeId: string, deliveries: readonly Delivery[], begin: number): Slice {
  const items: Item[] = []
  const refused: Refused[] = []
  let end = begin
  for (const delivery of deliveries.slice(begin)) {
    if (items.length + refused.length >= SLICE_RECORDS) break
    end += 1
    const read = readOutput(runtimeId, delivery)
    if (!read.ok) refused.push({ delivery, line: null, reason: read.reason })
    else
      for (const [index, record] of read.records.entries())
        items.push({ delivery, record, index: read.records.length > 1 ? index : null })
  }
  return { items, refused, deliveries: deliveries.slice(begin, end), end }
}

/**
 * A delivery is given back whole: what of it is stored already is not stored twice.
 *
 * @returns whether the store takes nothing now, so that the others may as well come again.
 */
async function storeSlice(
  deps: StoreBatchDeps,
  runtimeId: string,
  { items, refused, deliveries }: Slice,
  retryMs: number,
  total: BatchOutcome,
): Promise<boolean> {
  const written = await writeRecords(deps.outputs, items)
  const again = new Set(written.returned)
  const never = [...refused, ...written.refused].filter(({ delivery }) => !again.has(delivery))
  const aside = await setAside(deps, runtimeId, never)
  const reasons = new Map(never.map(({ delivery, reason }) => [delivery, reason]))
  if (aside.failure !== null) for (const delivery of reasons.keys()) again.add(delivery)
  for (const delivery of deliveries) {
    const reason = reasons.get(delivery) ?? null
    if (again.has(delivery)) {
      delivery.nak(retryMs)
      continue
    }
    if (reason === null) delivery.ack()
    else delivery.term()
    deps.reply(delivery, reason)
  }
  total.stored += written.stored.length
  total.hasLogs ||= written.stored.some(({ kind }) => kind === 'log')
  total.setAside.push(...aside.reasons)
  total.returned += again.size
  total.failure ??= written.failure ?? aside.failure
  return written.isDown || aside.failure !== null
}

async function setAside(
  deps: StoreBatchDeps,
  runtimeId: string,
  refused: readonly Refused[],
): Promise<{ reasons: string[]; failure: unknown }> {
  if (refused.length === 0) return { reasons: [], failure: null }
  const at = deps.now()
  const messages = refused.map((one): SetAsideMessage => ({
    ...contentOf(one),
    runtimeId,
    subject: one.delivery.subject,
    reason: one.reason,
    at,
  }))
  try {
    await deps.outputs.setAside(messages)
  } catch (error) {
    return { reasons: [], failure: error }
  }
  return { reasons: refused.map(({ reason }) => reason), failure: null }
}

/** Of a message with many lines only the line, which has an id of its own, so that the others are not kept twice. */
function contentOf({
  delivery,
  line,
}: Refused): Pick<SetAsideMessage, 'id' | 'payload' | 'payloadBytes'> {
  if (line === null) {
    const { messageId: id, data: payload } = delivery
    return { id, payload, payloadBytes: payload.length }
  }
  const payload = Buffer.from(JSON.stringify(line.record))
  return { id: `${delivery.messageId}/${line.index}`, payload, payloadBytes: payload.length }
}
