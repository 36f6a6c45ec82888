import { describe, expect, test } from '@jest/globals'
import { createQueueDepths } from './queue-depths.ts'

function startQueues() {
  const clock = { ms: 0 }
  return { clock, queues: createQueueDepths(() => clock.ms) }
}

describe('the queue of a node', () => {
  test('is that of all its replicas', () => {
    const { queues } = startQueues()
    expect(queues.put('a', 'p1', 3)).toBe(3)
    expect(queues.put('a', 'p2', 4)).toBe(7)
    expect(queues.put('b', 'p3', 1)).toBe(1)
    expect(queues.put('a', 'p1', 0)).toBe(4)
    expect(queues.put('a', 'p2', 0)).toBe(0)
  })

  test('leaves out replicas that are not heard of any more', () => {
    const { queues, clock } = startQueues()
    queues.put('a', 'dead', 50)
    clock.ms = 3_001
    expect(queues.put('a', 'p2', 2)).toBe(2)
  })

  test('is bounded, whatever a process says', () => {
    const { queues } = startQueues()
    expect(queues.put('a', 'p1', 1e300)).toBe(1_000_000)
    expect(queues.put('a', 'p1', -5)).toBe(0)
  })

  test('takes no more nodes than there can be, until some fall silent', () => {
    const { queues, clock } = startQueues()
    for (let i = 0; i < 10_000; i += 1) queues.put(`n${i}`, 'p', 1)
    expect(queues.put('one-more', 'p', 1)).toBe(0)
    clock.ms = 3_001
    expect(queues.put('one-more', 'p', 1)).toBe(1)
  })
})
