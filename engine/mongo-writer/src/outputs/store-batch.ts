import { KreError, type ErrorCode, type OutputRecord } from '@kre/contracts'
import type { OutputStore, SetAsideMessage } from '@kre/store'
import type { Delivery } from '../stream/delivery.ts'
import { readOutput } from './read-output.ts'

/** What became of a batch. */
export type BatchOutcome = {
  stored: OutputRecord[]
  /** Reasons of the messages that were set aside. */
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

/** Deliveries of a message that the store alone can't explain, before it is set aside. */
export const POISON_ATTEMPTS_MAX = 5

/** Failures that pass: they say nothing of the records. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'unavailable',
  'resource-exhausted',
  'deadline-exceeded',
  'aborted',
  'cancelled',
])

type Item = { delivery: Delivery; record: OutputRecord }
type Refused = { delivery: Delivery; reason: string }
type Written = { stored: Item[]; refused: Refused[]; returned: Delivery[]; failure: unknown }

/**
 * Writes one batch and answers each of its deliveries: acknowledged only when it is stored, set aside when it never
 * can be, given back for `retryMs` when the store fails. Never throws.
 */
export async function storeBatch(
  deps: StoreBatchDeps,
  runtimeId: string,
  deliveries: readonly Delivery[],
  retryMs: number,
): Promise<BatchOutcome> {
  const items: Item[] = []
  const refused: Refused[] = []
  for (const delivery of deliveries) {
    const read = readOutput(runtimeId, delivery)
    if (read.ok) items.push({ delivery, record: read.record })
    else refused.push({ delivery, reason: read.reason })
  }
  const written = await write(deps, items)
  for (const { delivery } of written.stored) {
    delivery.ack()
    deps.reply(delivery, null)
  }
  refused.push(...written.refused)
  const aside = await setAside(deps, runtimeId, refused)
  const returned = [...written.returned, ...aside.returned]
  for (const delivery of returned) delivery.nak(retryMs)
  return {
    stored: written.stored.map((item) => item.record),
    setAside: aside.reasons,
    returned: returned.length,
    failure: written.failure ?? aside.failure,
  }
}

async function write(deps: StoreBatchDeps, items: readonly Item[]): Promise<Written> {
  try {
    return await writeTogether(deps, items)
  } catch (error) {
    if (isPassing(error) || items.length === 0)
      return {
        stored: [],
        refused: [],
        returned: items.map((item) => item.delivery),
        failure: error,
      }
    return writeOneByOne(deps, items)
  }
}

async function writeTogether(deps: StoreBatchDeps, items: readonly Item[]): Promise<Written> {
  if (items.length === 0) return { stored: [], refused: [], returned: [], failure: null }
  const outcomes = await deps.outputs.write(items.map((item) => item.record))
  const stored: Item[] = []
  const refused: Refused[] = []
  for (const [i, item] of items.entries()) {
    const outcome = outcomes[i]
    if (outcome === undefined)
      throw new KreError(
        'internal',
        `the store answered ${outcomes.length} outcomes for ${items.length} records`,
      )
    if (outcome.stored) stored.push(item)
    else refused.push({ delivery: item.delivery, reason: outcome.reason })
  }
  return { stored, refused, returned: [], failure: null }
}

/** One record may break the write of all: alone it breaks its own, and after some attempts it is set aside. */
async function writeOneByOne(deps: StoreBatchDeps, items: readonly Item[]): Promise<Written> {
  const total: Written = { stored: [], refused: [], returned: [], failure: null }
  for (const [i, item] of items.entries()) {
    try {
      const one = await writeTogether(deps, [item])
      total.stored.push(...one.stored)
      total.refused.push(...one.refused)
    } catch (error) {
      total.failure = error
      if (isPassing(error)) {
        total.returned.push(...items.slice(i).map((rest) => rest.delivery))
        return total
      }
      if (item.delivery.attempt < POISON_ATTEMPTS_MAX) total.returned.push(item.delivery)
      else
        total.refused.push({
          delivery: item.delivery,
          reason: `the store failed: ${messageOf(error)}`,
        })
    }
  }
  return total
}

async function setAside(
  deps: StoreBatchDeps,
  runtimeId: string,
  refused: readonly Refused[],
): Promise<{ reasons: string[]; returned: Delivery[]; failure: unknown }> {
  if (refused.length === 0) return { reasons: [], returned: [], failure: null }
  const at = deps.now()
  const messages = refused.map(({ delivery, reason }): SetAsideMessage => ({
    id: delivery.messageId,
    runtimeId,
    subject: delivery.subject,
    reason,
    payload: delivery.data,
    payloadBytes: delivery.data.length,
    at,
  }))
  try {
    await deps.outputs.setAside(messages)
  } catch (error) {
    return { reasons: [], returned: refused.map(({ delivery }) => delivery), failure: error }
  }
  for (const { delivery, reason } of refused) {
    delivery.term()
    deps.reply(delivery, reason)
  }
  return { reasons: refused.map(({ reason }) => reason), returned: [], failure: null }
}

function isPassing(error: unknown): boolean {
  return error instanceof KreError && PASSING.has(error.code)
}

function messageOf(error: unknown): string {
  return error instanceof KreError ? error.message : String(error)
}
