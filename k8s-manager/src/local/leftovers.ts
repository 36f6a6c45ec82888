import { findByEnvironment } from './process-table.ts'
import { signalGroup, signalProcess } from './running-process.ts'

/**
 * Ends processes of this data directory that no record knows: an engine died between starting one and writing
 * it down, or a runner died and left its worker. They can't be drained, because nobody knows what they serve.
 *
 * @param known pids on record; whatever is in their process groups is theirs.
 * @returns the pids that were ended.
 */
export function endLeftovers(launchPrefix: string, known: ReadonlySet<number>): number[] {
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
