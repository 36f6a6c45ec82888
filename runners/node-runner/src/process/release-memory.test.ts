import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { noteMessage, releaseWhenQuiet } from './release-memory.ts'

beforeEach(() => void jest.useFakeTimers())
afterEach(() => void jest.useRealTimers())

test('memory is given back once, after a second without a message', () => {
  const release = jest.fn()
  releaseWhenQuiet(release)
  expect(release).not.toHaveBeenCalled()
  for (let second = 0; second < 3; second++) {
    noteMessage()
    jest.advanceTimersByTime(1_000)
  }
  expect(release).not.toHaveBeenCalled()
  jest.advanceTimersByTime(1_000)
  expect(release).toHaveBeenCalledTimes(1)
  jest.advanceTimersByTime(10_000)
  expect(release).toHaveBeenCalledTimes(1)
})
