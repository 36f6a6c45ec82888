import { describe, expect, test } from '@jest/globals'
import { emptyEnvelope } from '@kre/contracts'
import { CallQueue, QUEUE_BYTES_MAX, QUEUE_CALLS_MAX } from './call-queue.ts'
import { NodeCall, type CallOwner } from './node-call.ts'

const call = (requestId: string, priority?: string, bytes = 0): NodeCall =>
  new NodeCall(
    {} as CallOwner,
    {
      ...emptyEnvelope(),
      requestId,
      value: new Uint8Array(bytes),
      metadata: priority === undefined ? {} : { 'x-krt-priority': priority },
    },
    1,
    Infinity,
  )
const drain = (queue: CallQueue): string[] => {
  const ids: string[] = []
  for (let next = queue.first; next !== undefined; next = queue.first) {
    expect(queue.shift()).toBe(next)
    ids.push(next.requestId)
  }
  expect(queue.shift()).toBeUndefined()
  return ids
}

describe('CallQueue', () => {
  test('serves by priority, and within one by arrival', () => {
    const queue = new CallQueue()
    for (const [id, priority] of [
      ['l', 'low'],
      ['n1', undefined],
      ['h1', 'high'],
      ['n2', 'normal'],
      ['h2', 'high'],
    ] as const)
      expect(queue.push(call(id, priority))).toBe(true)
    expect([...queue].map(({ requestId }) => requestId)).toEqual(['h1', 'h2', 'n1', 'n2', 'l'])
    expect(queue.ahead(call('x', 'high'))).toBe(2)
    expect(queue.ahead(call('x'))).toBe(4)
    expect(queue.ahead(call('x', 'low'))).toBe(5)
    expect(drain(queue)).toEqual(['h1', 'h2', 'n1', 'n2', 'l'])
  })

  test('lets nobody wait for ever', () => {
    const queue = new CallQueue()
    queue.push(call('low', 'low'))
    for (let i = 0; i < 50; i++) queue.push(call(`h${i}`, 'high'))
    expect(drain(queue).indexOf('low')).toBe(8)
  })

  test('takes one back before the others of its priority', () => {
    const queue = new CallQueue()
    queue.push(call('h', 'high'))
    for (const id of ['a', 'b', 'c']) queue.push(call(id))
    queue.shift()
    const first = queue.shift() as NodeCall
    queue.putBack(first)
    queue.putBack(call('z'))
    expect(drain(queue)).toEqual(['z', 'a', 'b', 'c'])
  })

  test('has room for so many calls and bytes', () => {
    const queue = new CallQueue()
    for (let i = 0; i < QUEUE_CALLS_MAX; i++) expect(queue.push(call(`${i}`))).toBe(true)
    expect(queue.push(call('more', 'high'))).toBe(false)
    expect(drain(queue)).toHaveLength(QUEUE_CALLS_MAX)
    // A single one is taken whatever its size: it would never find room.
    expect(queue.push(call('large', 'low', QUEUE_BYTES_MAX + 1))).toBe(true)
    expect(queue.push(call('small', 'high', 1))).toBe(false)
    drain(queue)
    expect(queue.push(call('small', 'high', 1))).toBe(true)
  })
})
