import { expect, test } from '@jest/globals'
import { IN_FLIGHT_RECORD_BYTES, isBlocked, monotonicMs, parseInFlight } from './in-flight.ts'
import { inFlightText } from './testing/in-flight-text.ts'

test('records are read as they were written, and free slots are not', () => {
  const calls = [
    { requestId: '00000000-0000-4000-8000-000000000000', dueMs: 1_234_567 },
    { requestId: 'b', dueMs: Infinity },
  ]
  const records = inFlightText([calls[0] ?? null, null, calls[1] ?? null])
  expect(records.split('\n').map(({ length }) => length + 1)).toEqual([
    ...Array.from({ length: 3 }, () => IN_FLIGHT_RECORD_BYTES),
    1,
  ])
  expect(parseInFlight(records)).toEqual(calls)
})

test('an id that is too long is cut, and the record keeps its length', () => {
  const record = inFlightText([{ requestId: 'x'.repeat(200), dueMs: 1 }])
  expect(record).toHaveLength(IN_FLIGHT_RECORD_BYTES)
  expect(parseInFlight(record)).toEqual([{ requestId: 'x'.repeat(60), dueMs: 1 }])
})

test('garbage is no record', () => {
  const garbage = `${'x'.repeat(200)}\n\u0007bell\n\0\0\0\nfine\nfine -1\nfine 1 2\n`
  expect(parseInFlight(garbage)).toEqual([{ requestId: 'fine', dueMs: Infinity }])
  expect(parseInFlight('')).toEqual([])
})

test('a process is blocked when all its calls are beyond their times', () => {
  const due = (...times: number[]) => times.map((dueMs) => ({ requestId: 'a', dueMs }))
  expect(isBlocked(due(), 10_000, 250)).toBe(false)
  expect(isBlocked(due(1_000), 1_200, 250)).toBe(false)
  expect(isBlocked(due(1_000), 1_251, 250)).toBe(true)
  expect(isBlocked(due(1_000, 2_000), 1_251, 250)).toBe(false)
  expect(isBlocked(due(1_000, Infinity), 1e9, 250)).toBe(false)
})

test('the clock goes forward in milliseconds', () => {
  const before = monotonicMs()
  const end = performance.now() + 5
  while (performance.now() < end);
  expect(monotonicMs() - before).toBeGreaterThanOrEqual(4)
})
