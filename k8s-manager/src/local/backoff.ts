import { MINUTE_MS, SECOND_MS } from '@kre/contracts'

/** Longest pause between two starts of a broken replica. */
const BACKOFF_MS_MAX = 30 * SECOND_MS
/** First pause after a process that ended; doubled each time. */
const CRASH_BACKOFF_MS = 100
/** First pause after files or packages could not be prepared: that work is heavier than a start. */
const PREPARATION_BACKOFF_MS = SECOND_MS
/** First pause after a start that took all its time: most likely the next one does, too. */
const START_BACKOFF_MS = 30 * SECOND_MS
const START_BACKOFF_MS_MAX = 5 * MINUTE_MS
/** Ready for so long, a replica counts as healthy and its next failure as the first. */
export const HEALTHY_AFTER_MS = 30 * SECOND_MS

/**
 * Pause before the next start.
 *
 * @param failures in a row, 1 or more; the first is answered at once, because most deaths are accidents.
 */
export function restartDelayMs(
  failures: number,
  failed: 'process' | 'preparation' | 'start',
): number {
  if (failed === 'start')
    return Math.min(START_BACKOFF_MS_MAX, START_BACKOFF_MS * 2 ** Math.min(failures - 1, 20))
  if (failures <= 1) return 0
  const first = failed === 'process' ? CRASH_BACKOFF_MS : PREPARATION_BACKOFF_MS
  return Math.min(BACKOFF_MS_MAX, first * 2 ** Math.min(failures - 2, 20))
}
