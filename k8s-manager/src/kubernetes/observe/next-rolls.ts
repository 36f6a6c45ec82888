/**
 * Which workloads are brought to the settings and images of this engine next, after an upgrade. Pure, and asked again after
 * each change: which of them is on its way is written on its Deployment, so the next engine goes on from there.
 */

export type RollFacts = {
  /** Name of the Deployment. */
  readonly name: string
  /** Name of the version's owner object. */
  readonly group: string
  readonly role: 'entrypoint' | 'node'
  /** An engine with other settings, or other images, has made it. */
  readonly isFormer: boolean
  /** It was brought to newer settings, and nobody has seen yet that it works with them. */
  readonly isRolling: boolean
  /** All of its pods are of its spec and ready, and no others are there. */
  readonly isSound: boolean
}

export type RollPlan = {
  readonly roll: readonly string[]
  /** Those that work with the new settings. */
  readonly done: readonly string[]
  /** What the others wait for. */
  readonly underWay: readonly string[]
}

/**
 * One that does not become ready is waited for, for good: its pods of before serve on, and the same would happen to the
 * others. One that was not well before goes last, and nothing waits for it: other settings may be what it needs.
 *
 * @param atOnce 0 = none.
 */
export function nextRolls(workloads: readonly RollFacts[], atOnce: number): RollPlan {
  const rolling = workloads.filter(({ isRolling }) => isRolling)
  const done = rolling.filter(({ isFormer, isSound }) => !isFormer && isSound)
  const underWay = rolling.filter(({ isFormer, isSound }) => !isFormer && !isSound)
  // What was stuck with the settings before these comes first: these may be its cure.
  const stuck = rolling.filter(({ isFormer }) => isFormer)
  const others = workloads.filter(({ isFormer, isRolling }) => isFormer && !isRolling)
  const sound = inOrder(others.filter(({ isSound }) => isSound))
  const queue = [...stuck, ...(sound.length > 0 ? sound : inOrder(others))]
  return {
    roll: namesOf(queue.slice(0, Math.max(0, atOnce - underWay.length))),
    done: namesOf(done),
    underWay: namesOf(underWay),
  }
}

/** Version by version, the entrypoint after its nodes. */
function inOrder(workloads: readonly RollFacts[]): RollFacts[] {
  const key = ({ group, role, name }: RollFacts) => [group, role === 'node' ? '0' : '1', name]
  return workloads.toSorted((a, b) => (key(a).join('/') < key(b).join('/') ? -1 : 1))
}

function namesOf(workloads: readonly RollFacts[]): string[] {
  return workloads.map(({ name }) => name)
}
