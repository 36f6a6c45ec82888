import { describe, expect, test } from '@jest/globals'
import type { ProbeResult } from './grpc-probe.ts'
import { STEADY_CALLS, steadyAfterMs } from './steady-after.ts'

/** One call every 10 ms from 0 on. */
function calls(...times: readonly (number | 'refused')[]): ProbeResult[] {
  return times.map((time, index) => {
    const [status, ms] = time === 'refused' ? [8, 1] : [0, time]
    return { status, ms, firstMs: ms, beganMs: index * 10, hasRetryAfter: false }
  })
}
const good = Array<number>(STEADY_CALLS).fill(12)

describe('steadyAfterMs', () => {
  test('is the time to the first good call after the last bad one', () => {
    expect(steadyAfterMs(calls('refused', 900, 'refused', 40, ...good), 10, 20)).toBe(30)
  })

  test('is 0 when nothing was bad after the end, whatever was before', () => {
    expect(steadyAfterMs(calls('refused', 'refused', ...good), 20, 20)).toBe(0)
  })

  test('is nothing when too few good calls follow', () => {
    expect(steadyAfterMs(calls('refused', ...good.slice(1)), 0, 20)).toBeNull()
    expect(steadyAfterMs(calls(...good, 21), 0, 20)).toBeNull()
    expect(steadyAfterMs([], 0, 20)).toBeNull()
  })
})
