import { expect, test } from '@jest/globals'
import type { LogRecord } from '@kre/contracts'
import { createLogRing } from './log-ring.ts'

const line = (message: string) => ({ message }) as LogRecord

test('keeps the newest lines under the numbers that they came with', () => {
  const ring = createLogRing({ lines: 100, chars: 1_000_000 })
  for (let number = 0; number < 1_000; number += 1) ring.add(line(`${number}`))
  expect(ring.end).toBe(1_000)
  expect(ring.end - ring.begin).toBeGreaterThanOrEqual(100)
  expect(ring.end - ring.begin).toBeLessThanOrEqual(125)
  expect(ring.at(999)?.message).toBe('999')
  expect(ring.at(ring.begin)?.message).toBe(String(ring.begin))
  expect(ring.at(ring.begin - 1)).toBeUndefined()
  expect(ring.at(1_000)).toBeUndefined()
})

test('keeps no more characters than it may, and the newest line whatever it has', () => {
  const ring = createLogRing({ lines: 100, chars: 1_000 })
  for (let number = 0; number < 50; number += 1) ring.add(line('x'.repeat(100)))
  expect(ring.end - ring.begin).toBeLessThanOrEqual(12)
  ring.add(line('x'.repeat(100_000)))
  expect([ring.begin, ring.end]).toEqual([50, 51])
})
