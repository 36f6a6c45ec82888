/** Which replicas of a workload to start and to stop next. Pure; asked again after every change. */

export type ReplicaFacts = {
  readonly number: number
  readonly specHash: string
  readonly ready: boolean
  readonly stopping: boolean
}
export type ReplicaPlan = { readonly start: readonly number[]; readonly stop: readonly number[] }

/**
 * A replica of another spec goes only when a ready one of the wanted spec takes its place, one at a time.
 * A newcomer never takes the number of a living replica: announcements of both are told apart by it.
 *
 * @param overlaps false = old ones must be gone before new ones start, because they can't share a port.
 */
export function planReplicas(input: {
  replicasWanted: number
  specHash: string
  replicas: readonly ReplicaFacts[]
  overlaps: boolean
}): ReplicaPlan {
  const { replicasWanted, specHash } = input
  const living = input.replicas.filter((replica) => !replica.stopping)
  const current = living.filter((replica) => replica.specHash === specHash)
  const old = living.filter((replica) => replica.specHash !== specHash)
  const missing = Math.max(0, replicasWanted - current.length)

  if (old.length === 0) {
    const surplus = Math.max(0, current.length - replicasWanted)
    const mustWait = !input.overlaps && missing > 0 && hasOtherSpec(input.replicas, specHash)
    return {
      start: mustWait ? [] : freeNumbers(input.replicas, missing),
      stop: leastUseful(current).slice(0, surplus),
    }
  }
  if (!input.overlaps || replicasWanted === 0)
    return { start: [], stop: numbersOf(replicasWanted === 0 ? living : old) }

  const oldReady = old.filter((replica) => replica.ready)
  const readyNow = current.filter((replica) => replica.ready).length + oldReady.length
  const replaceable = Math.min(oldReady.length, Math.max(0, readyNow - replicasWanted))
  const surging = current.some((replica) => !replica.ready)
  return {
    start: freeNumbers(input.replicas, surging ? 0 : Math.min(1, missing)),
    stop: [
      ...numbersOf(old.filter((replica) => !replica.ready)),
      ...leastUseful(oldReady).slice(0, replaceable),
    ],
  }
}

function hasOtherSpec(replicas: readonly ReplicaFacts[], specHash: string): boolean {
  return replicas.some((replica) => replica.specHash !== specHash)
}

function freeNumbers(replicas: readonly ReplicaFacts[], count: number): number[] {
  const taken = new Set(numbersOf(replicas))
  const free: number[] = []
  for (let number = 0; free.length < count; number++) if (!taken.has(number)) free.push(number)
  return free
}

function leastUseful(replicas: readonly ReplicaFacts[]): number[] {
  return numbersOf(
    replicas.toSorted((a, b) => Number(a.ready) - Number(b.ready) || b.number - a.number),
  )
}

function numbersOf(replicas: readonly ReplicaFacts[]): number[] {
  return replicas.map((replica) => replica.number)
}
