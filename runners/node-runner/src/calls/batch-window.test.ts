import { describe, expect, test } from '@jest/globals'
import { emptyEnvelope, MESSAGE_TYPE, type Envelope } from '@kre/contracts'
import { batchWaitMs } from './batch-window.ts'
import { NodeCall, type CallOwner } from './node-call.ts'

const LIMITS = { maxSize: 8, maxDelayMs: 20 }
const nobody = {} as CallOwner

/** A message that arrived at 1000. */
function arrived(changes: Partial<Envelope> = {}, deadlineAt = Infinity): NodeCall {
  const call = new NodeCall(nobody, { ...emptyEnvelope(), attempt: 1, ...changes }, 1, deadlineAt)
  call.arrivedAt = 1_000
  return call
}

describe('a batch', () => {
  test.each([
    ['waits for others', 3, 1_005, 15],
    ['is closed when its first message has waited', 3, 1_020, 0],
    ['is closed when it waited for a free slot longer than that', 3, 1_500, 0],
    ['is closed when it is full', 8, 1_000, 0],
    ['is closed when more wait than it takes', 9, 1_000, 0],
  ])('%s', (_what, waiting, now, expected) => {
    expect(batchWaitMs(LIMITS, arrived(), waiting, now, false)).toBe(expected)
  })

  test('without a delay is closed at once', () => {
    expect(batchWaitMs({ maxSize: 8, maxDelayMs: 0 }, arrived(), 1, 1_000, false)).toBe(0)
  })

  test('of a node that drains waits for nothing', () => {
    expect(batchWaitMs(LIMITS, arrived(), 1, 1_000, true)).toBe(0)
  })

  test('leaves its first message half of its time', () => {
    expect(batchWaitMs(LIMITS, arrived({}, 1_010), 1, 1_000, false)).toBe(5)
  })

  test.each([
    ['that was sent again', { attempt: 2 }],
    ['that is an error', { messageType: MESSAGE_TYPE.error }],
  ])('is not made of a message %s', (_what, changes) => {
    expect(batchWaitMs(LIMITS, arrived(changes), 1, 1_000, false)).toBe(0)
  })
})
