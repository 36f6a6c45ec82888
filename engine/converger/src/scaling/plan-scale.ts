/**
 * How many replicas a workload shall have now, from what was seen of its load. Pure: the loop asks once a second and
 * keeps the history.
 *
 * It grows at once, to twice as many at most, and then waits until it can see what that has changed. It shrinks to what
 * was enough all the time for `idleMs`, so that a load which comes and goes changes nothing. Nothing is taken away while
 * somebody who takes messages is not heard of, or before the first one does.
 */
import { SECOND_MS, type WorkloadScaling } from '@kre/contracts'

/** What was seen of one node of the workload, in all replicas together. */
export type NodeLoad = {
  /** Messages that wait or are in a handler. */
  readonly inFlight: number
  /** How long the one that waits longest has waited, in ms. */
  readonly queueAgeMs: number
}

export type ScaleFacts = {
  /** In ms, on any clock that only goes forward. */
  readonly now: number
  readonly scaling: WorkloadScaling
  /** That it shall have up to now. */
  readonly replicas: number
  /** Of them those that take messages. */
  readonly ready: number
  /** In the order of `scaling.nodes`. */
  readonly loads: readonly NodeLoad[]
  /** Every replica that takes messages was heard of just now. */
  readonly isComplete: boolean
  /** Its workflow was asked for something since the last look, or is at work, or nobody knows. */
  readonly isActive: boolean
  /** When `replicas` became what it is. */
  readonly changedAt: number
  readonly history: ScaleHistory
}

/** What the load of earlier moments asked for, oldest first: each from its moment to the next one's. */
export type ScaleHistory = readonly { readonly from: number; readonly replicas: number }[]

export type ScalePlan = { readonly replicas: number; readonly history: ScaleHistory }

/** Replicas that come up have so long to show what they change, before there are still more. */
const GROW_EVERY_MS = 3 * SECOND_MS
/** Moments of `idleMs` that are told apart; of each the one with the most counts. */
const MOMENTS = 60

/** @returns the replicas it shall have, within the limits of its manifest. One that sleeps is woken by calls alone. */
export function planScale(facts: ScaleFacts): ScalePlan {
  const { scaling, replicas, now } = facts
  if (replicas === 0) return { replicas: clamp(0, scaling), history: [] }
  const wanted = clamp(wantedBy(facts), scaling)
  const history = remember(facts.history, { from: now, replicas: wanted }, scaling.idleMs)
  const next = wanted > replicas ? grown(facts, wanted) : shrunk(facts, history)
  return { replicas: clamp(next, scaling), history }
}

/** What this moment's load asks for; 0 = nobody asks. */
function wantedBy({ scaling, loads, replicas, ready, isComplete, isActive }: ScaleFacts): number {
  const byLoad = scaling.nodes.map(({ targetInFlight, targetQueueAgeMs }, index) => {
    const { inFlight = 0, queueAgeMs = 0 } = loads[index] ?? {}
    const byCount = Math.ceil(inFlight / targetInFlight)
    // Those that are still coming may be enough; and more replicas than messages help nobody.
    if (queueAgeMs <= targetQueueAgeMs || ready < replicas) return byCount
    return Math.max(
      byCount,
      Math.min(inFlight, Math.ceil((replicas * queueAgeMs) / targetQueueAgeMs)),
    )
  })
  // Of those that have not come up, or are not heard of, nobody knows that they are not needed.
  const isKnown = isComplete && ready > 0
  return Math.max(...byLoad, isActive ? 1 : 0, isKnown ? 0 : replicas)
}

function grown({ replicas, now, changedAt }: ScaleFacts, wanted: number): number {
  return now - changedAt < GROW_EVERY_MS ? replicas : Math.min(wanted, 2 * replicas)
}

/** What was enough for `idleMs`; as many as there are, until that is known. */
function shrunk({ scaling, replicas, now }: ScaleFacts, history: ScaleHistory): number {
  const since = now - scaling.idleMs
  if (history.every(({ from }) => from > since)) return replicas
  return Math.min(replicas, Math.max(...history.map((moment) => moment.replicas)))
}

/** @returns the moments that reach into the last `idleMs`. */
function remember(
  history: ScaleHistory,
  latest: ScaleHistory[number],
  idleMs: number,
): ScaleHistory {
  const last = history.at(-1)
  const isSame = last !== undefined && latest.from - last.from < idleMs / MOMENTS
  const all = isSame
    ? [
        ...history.slice(0, -1),
        { from: last.from, replicas: Math.max(last.replicas, latest.replicas) },
      ]
    : [...history, latest]
  const since = latest.from - idleMs
  return all.filter((_, index) => (all[index + 1]?.from ?? Infinity) > since)
}

function clamp(replicas: number, { min, max }: WorkloadScaling): number {
  return Math.min(Math.max(replicas, min), max)
}
