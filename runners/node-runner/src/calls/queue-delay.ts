/**
 * How long messages wait for a handler, and which of them are refused because they would wait too long. Messages that
 * come in a burst may wait as long as their deadlines allow; once a queue stands, it is kept short, so that those who
 * are answered are answered soon (the idea of CoDel, RFC 8289, applied at the door instead of the head). Pure.
 */
import { createRunningAverage } from './running-average.ts'

/** A queue in which messages wait for a larger part of their time than this is too long... */
const STANDING_SHARE = 1 / 4
/** ...when it stays so for this long... */
const STANDING_MS = 250
/** ...until they wait for less than this part. */
const CALM_SHARE = 1 / 16
/** Weight of the last wait in the average. */
const WEIGHT = 1 / 8

export type QueueDelay = {
  /**
   * Told of each message that leaves the queue for a handler.
   *
   * @param ahead messages that were served before it.
   * @param timeMs what it had from its arrival to its deadline.
   */
  waited(waitedMs: number, ahead: number, timeMs: number, now: number): void
  /** What a message with so many ahead is likely to wait; 0 = not known yet. */
  expectedMs(ahead: number): number
  /** The longest expected wait with which a message is taken. */
  limitMs(timeMs: number, now: number): number
}

/** @param ageMsMax no message waits longer; null = its deadline and the state of the queue say how long. */
export function createQueueDelay(ageMsMax: number | null): QueueDelay {
  const perCallMs = createRunningAverage(WEIGHT)
  let tooLongSince = Infinity
  return {
    waited(waitedMs, ahead, timeMs, now) {
      perCallMs.add(waitedMs / (ahead + 1))
      if (waitedMs > timeMs * STANDING_SHARE) tooLongSince = Math.min(tooLongSince, now)
      else if (waitedMs < timeMs * CALM_SHARE || now - tooLongSince < STANDING_MS)
        tooLongSince = Infinity
    },
    expectedMs: (ahead) => (ahead === 0 ? 0 : (perCallMs.value ?? 0) * (ahead + 1)),
    limitMs(timeMs, now) {
      if (ageMsMax !== null) return Math.min(ageMsMax, timeMs)
      return now - tooLongSince >= STANDING_MS ? timeMs * STANDING_SHARE : timeMs
    },
  }
}
