/**
 * Turns requests away at the door while the nodes behind it turn most of them away: a refusal here costs a tenth of
 * one that went through the broker. As in adaptive throttling ("Handling Overload" in Site Reliability Engineering),
 * twice as many requests go on as are taken, so that the nodes always have enough and soon show that they have room.
 */

/** Requests that go on for each one that the nodes take. */
const SURPLUS = 2
/** What happened so long ago counts half. */
const HALF_LIFE_MS = 1_000
/** Between two times that the past is made to count less. */
const STEP_MS = 50
/** Fewer refusals than these say nothing. */
const REFUSALS_MIN = 10

export type OverloadThrottle = {
  /** Whether the next request is to be turned away; if so, it is counted as refused here. */
  refuses(now: number): boolean
  /** A request that went on has ended. */
  ended(isRefusedByNode: boolean, now: number): void
}

/** @param random from 0 to 1. */
export function createOverloadThrottle(random: () => number = Math.random): OverloadThrottle {
  let taken = 0
  let refusedByNodes = 0
  let refusedHere = 0
  let decayedAt = 0
  const decay = (now: number) => {
    const passedMs = now - decayedAt
    if (passedMs < STEP_MS) return
    const share = 0.5 ** (passedMs / HALF_LIFE_MS)
    taken *= share
    refusedByNodes *= share
    refusedHere *= share
    decayedAt = now
  }
  return {
    refuses(now) {
      if (refusedByNodes < REFUSALS_MIN) return false
      decay(now)
      const all = taken + refusedByNodes + refusedHere
      if (random() >= (all - SURPLUS * taken) / (all + 1)) return false
      refusedHere++
      return true
    },
    ended(isRefusedByNode, now) {
      decay(now)
      if (isRefusedByNode) refusedByNodes++
      else taken++
    },
  }
}
