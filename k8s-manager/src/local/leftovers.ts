import { setTimeout as sleep } from 'node:timers/promises'
import { findByEnvironment, isAnyChangingProgram } from './process-table.ts'
import { signalGroup, signalProcess } from './running-process.ts'

/** A start goes through several programs, which set limits and hide folders; this is enough for all of them. */
const START_MS = 60_000
/** Somebody else's process may have no environment for good. */
const PATIENCE_MS = 5_000
const LOOK_AGAIN_MS = 5

/**
 * Ends processes of this data directory that no record knows: an engine died between starting one and writing
 * it down, or a runner died and left its worker. They can't be drained, because nobody knows what they serve.
 * To be called before anything is started, which would be taken for a leftover.
 *
 * @param known pids on record; whatever is in their process groups is theirs.
 * @returns the pids that were ended.
 */
export async function endLeftovers(
  launchPrefix: string,
  known: ReadonlySet<number>,
): Promise<number[]> {
  const ended = new Set<number>()
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    // Asked first: what has its new program by then is found.
    const isDecided = !isAnyChangingProgram(START_MS)
    for (const pid of endThoseFound(launchPrefix, known)) ended.add(pid)
    if (isDecided || performance.now() > until) return [...ended]
    await sleep(LOOK_AGAIN_MS)
  }
}

function endThoseFound(launchPrefix: string, known: ReadonlySet<number>): number[] {
  const leftovers = findByEnvironment('KRE_LAUNCH_FILE', launchPrefix).filter(
    ({ pid, group }) => pid !== process.pid && !known.has(pid) && !known.has(group),
  )
  for (const { pid, group } of leftovers) {
    // A leader takes its workers along; another's group may be a terminal's.
    if (group === pid) signalGroup(pid)
    else signalProcess(pid, 'SIGKILL')
  }
  return leftovers.map(({ pid }) => pid)
}
