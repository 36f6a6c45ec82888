import { setTimeout as sleep } from 'node:timers/promises'

const TIMEOUT_MS = 3_000
const POLL_MS = 50

/** Some init processes collect the dead seconds later; until then a pid still looks taken to whoever checks it. */
export async function untilReaped(pids: readonly number[]): Promise<void> {
  const end = performance.now() + TIMEOUT_MS
  while (pids.some(isTaken) && performance.now() < end) await sleep(POLL_MS)
}

function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // gone, or somebody else's by now
  }
}
