import { KreError, type ErrorCode, type OutputRecord } from '@kre/contracts'
import type { OutputStore } from '@kre/store'
import type { Delivery } from '../stream/delivery.ts'

/** One record of a delivery. */
export type Item = {
  readonly delivery: Delivery
  readonly record: OutputRecord
  /** Which of the delivery's records it is; null = the only one. */
  readonly index: number | null
}
/** What can never be stored. @param line null = the whole message. */
export type Refused = {
  readonly delivery: Delivery
  readonly line: { readonly record: OutputRecord; readonly index: number } | null
  readonly reason: string
}
export type Written = {
  stored: OutputRecord[]
  refused: Refused[]
  /** Something of them could not be stored now. */
  returned: Set<Delivery>
  failure: unknown
  /** The store takes nothing now, whatever it is given. */
  isDown: boolean
}

type Outputs = Pick<OutputStore, 'write'>

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

/** Writes records together, or one by one where one of them breaks the write. Never throws. */
export async function writeRecords(outputs: Outputs, items: readonly Item[]): Promise<Written> {
  const written: Written = {
    stored: [],
    refused: [],
    returned: new Set(),
    failure: null,
    isDown: false,
  }
  try {
    await writeTogether(outputs, items, written)
  } catch (error) {
    if (isPassing(error)) giveBack(items, error, written)
    else await writeOneByOne(outputs, items, written)
  }
  return written
}

async function writeTogether(
  outputs: Outputs,
  items: readonly Item[],
  written: Written,
): Promise<void> {
  if (items.length === 0) return
  const outcomes = await outputs.write(items.map((item) => item.record))
  if (outcomes.length !== items.length)
    throw new KreError(
      'internal',
      `the store answered ${outcomes.length} outcomes for ${items.length} records`,
    )
  for (const [i, item] of items.entries()) {
    const outcome = outcomes[i]
    if (outcome?.stored === false) written.refused.push(refusalOf(item, outcome.reason))
    else written.stored.push(item.record)
  }
}

/** One record may break the write of all: alone it breaks its own, and after some attempts it is set aside. */
async function writeOneByOne(
  outputs: Outputs,
  items: readonly Item[],
  written: Written,
): Promise<void> {
  for (const [i, item] of items.entries()) {
    try {
      await writeTogether(outputs, [item], written)
    } catch (error) {
      if (isPassing(error)) return giveBack(items.slice(i), error, written)
      written.failure = error
      if (item.delivery.attempt < POISON_ATTEMPTS_MAX) written.returned.add(item.delivery)
      else written.refused.push(refusalOf(item, `the store failed: ${messageOf(error)}`))
    }
  }
}

function giveBack(items: readonly Item[], failure: unknown, written: Written): void {
  written.failure = failure
  written.isDown = true
  for (const { delivery } of items) written.returned.add(delivery)
}

function refusalOf({ delivery, record, index }: Item, reason: string): Refused {
  return { delivery, line: index === null ? null : { record, index }, reason }
}

function isPassing(error: unknown): boolean {
  return error instanceof KreError && PASSING.has(error.code)
}

function messageOf(error: unknown): string {
  return error instanceof KreError ? error.message : String(error)
}
