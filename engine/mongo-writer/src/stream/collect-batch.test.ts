import { describe, expect, test } from '@jest/globals'
import { idleWaitMs } from './collect-batch.ts'

describe('a request for the next message', () => {
  test.each([
    [0, 1_000],
    [25, 1_000],
    [26, 1_040],
    [500, 20_000],
    [750, 30_000],
    [100_000, 30_000],
  ])('of one of %i streams stands for %i ms', (streams, ms) => {
    expect(idleWaitMs(streams)).toBe(ms)
  })
})
