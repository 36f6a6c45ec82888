import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicros } from './processes.ts'

const LOOK_MS = 1_000
/** Looks in a row at which the process had little to do. */
const LOOKS = 3
/** Of one processor: an engine with a hundred runtimes looks after them all the time. */
const SHARE_MAX = 0.3

/**
 * Waits until a process has no more to do than it always has.
 *
 * @returns false when that did not come within `atMostMs`.
 */
export async function untilSettled(
  pid: number,
  atMostMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const end = performance.now() + atMostMs
  for (let calm = 0; calm < LOOKS;) {
    if (performance.now() > end) return false
    const [began, before] = [performance.now(), cpuMicros([pid])]
    await sleep(LOOK_MS, undefined, { signal })
    const share = (cpuMicros([pid]) - before) / 1_000 / (performance.now() - began)
    calm = share <= SHARE_MAX ? calm + 1 : 0
  }
  return true
}
