import { expect, test } from '@jest/globals'
import { restartDelayMs } from './backoff.ts'

test('restartDelayMs answers the first death at once, then doubles from 100 ms to 30 s', () => {
  const delays = Array.from({ length: 12 }, (_, index) => restartDelayMs(index + 1, 'process'))
  expect(delays.slice(0, 5)).toEqual([0, 100, 200, 400, 800])
  expect(delays.slice(-2)).toEqual([30_000, 30_000])
  expect(restartDelayMs(5_000, 'process')).toBe(30_000)
})

test('restartDelayMs waits longest for a start that takes all its time, also the first time', () => {
  const delays = [1, 2, 3, 9].map((failures) => restartDelayMs(failures, 'start'))
  expect(delays).toEqual([30_000, 60_000, 120_000, 300_000])
})

test('restartDelayMs waits longer between preparations, which cost more', () => {
  expect([1, 2, 3].map((failures) => restartDelayMs(failures, 'preparation'))).toEqual([
    0, 1_000, 2_000,
  ])
})
