import type { ProbeResult } from './grpc-probe.ts'

/** So many good calls in a row are no chance. */
export const STEADY_CALLS = 10

/**
 * How long after `endMs` calls are answered as if there had been no overload.
 *
 * @param probed in the order in which they began.
 * @param endMs when the last request of the load began.
 * @param fastMs a call that takes longer is not answered as usual.
 * @returns milliseconds from `endMs` to the begin of the first of ten good calls after which none was bad; null when
 * there are no such ten.
 */
export function steadyAfterMs(
  probed: readonly ProbeResult[],
  endMs: number,
  fastMs: number,
): number | null {
  const isGood = ({ status, ms }: ProbeResult) => status === 0 && ms <= fastMs
  const after = probed.filter(({ beganMs }) => beganMs >= endMs)
  const steady = after.slice(after.findLastIndex((call) => !isGood(call)) + 1)
  const first = steady[0]
  return first === undefined || steady.length < STEADY_CALLS ? null : first.beganMs - endMs
}
