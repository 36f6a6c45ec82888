import type { Announcement, DeathNotice, VersionInterface } from '@kre/contracts/runtime'

/** A replica's process is dead; requests it held must be sent again. */
export type Death = {
  readonly workflow: string
  readonly node: string
  /** The same for all news of one death, which come from the target and from the next incarnation. */
  readonly key: string
  /** Requests that were inside a handler. */
  readonly interrupted: readonly string[]
  /** Why, in the target's words; empty when only the next incarnation told of it. */
  readonly reason: string
  /** Another node of the same process brought the same news before: what was with the process has been sent again. */
  readonly isRepeated: boolean
}

export type ReplicaTable = {
  /** @returns the death of an earlier incarnation that follows from it, or null. */
  announced(announcement: Announcement, atMs: number): Death | null
  died(notice: DeathNotice): Death
  /** Replicas that were not heard of for `staleMs` do not count as ready until they are. */
  expire(atMs: number, staleMs: number): void
  /** After a time in which nothing could be heard, silence says nothing. */
  heardAll(atMs: number): void
  /** Ids of a workflow's nodes without a ready replica, in the workflow's order. */
  missing(workflow: string): readonly string[]
}

type Replica = {
  incarnation: string
  pid: number
  /** `silent`: not heard of for long, perhaps only busy; `dead` is final for an incarnation. */
  state: 'ready' | 'draining' | 'silent' | 'dead'
  heardAt: number
  /** Incarnations that are over, newest first: their late announcements count for nothing. */
  past: string[]
}

/** Incarnations of one replica that are remembered. */
const PAST_MAX = 16
/** Replicas of one node that are remembered; announcements are foreign input. */
const REPLICAS_MAX = 1024
/** Deaths that are remembered, to know the same news from another node of the process. */
const DEATHS_MAX = 256

/** What is known of a version's processes, from announcements and death notices alone. Pure. */
export function createReplicaTable(
  workflows: VersionInterface['workflows'],
  bundleDigest: string,
): ReplicaTable {
  const nodes = new Map<string, Map<number, Replica>>()
  for (const { id, nodes: ids } of workflows)
    for (const node of ids) nodes.set(`${id}/${node}`, new Map())
  const told = new Set<string>()

  /** @param source who tells: each is heard once, as what was sent on the first news may be lost all the same. */
  const toDeath = (
    { workflow, node, interrupted }: Pick<DeathNotice, 'workflow' | 'node' | 'interrupted'>,
    incarnation: string,
    source: 'target' | 'successor',
    reason: string,
  ): Death => {
    const news = `${source}/${workflow}/${incarnation}`
    const isRepeated = told.has(news)
    told.add(news)
    for (const oldest of told) {
      if (told.size <= DEATHS_MAX) break
      told.delete(oldest)
    }
    return { workflow, node, key: `${node}/${incarnation}`, interrupted, reason, isRepeated }
  }

  return {
    announced(a, atMs) {
      const replicas = nodes.get(`${a.workflow}/${a.node}`)
      if (replicas === undefined || a.bundleDigest !== bundleDigest) return null
      const known = replicas.get(a.replica)
      if (known === undefined) {
        if (replicas.size < REPLICAS_MAX) replicas.set(a.replica, newReplica(a, atMs, []))
        return null
      }
      if (known.incarnation === a.incarnation) {
        if (known.state !== 'dead') known.state = a.state
        known.heardAt = atMs
        return null
      }
      if (known.past.includes(a.incarnation)) return null
      const past = [known.incarnation, ...known.past].slice(0, PAST_MAX)
      replicas.set(a.replica, newReplica(a, atMs, past))
      const endedWell = known.state === 'draining' && a.interrupted.length === 0
      if (endedWell) return null
      const { workflow, node, interrupted } = a
      const dead = { workflow: workflow ?? '', node: node ?? '', interrupted }
      return toDeath(dead, known.incarnation, 'successor', '')
    },
    died(notice) {
      const known = nodes.get(`${notice.workflow}/${notice.node}`)?.get(notice.replica)
      // Late news of an earlier process must not hide the living one.
      const isKnown = known?.pid === notice.pid
      if (isKnown) known.state = 'dead'
      const incarnation = isKnown ? known.incarnation : `${notice.replica}/${notice.pid}`
      return toDeath(notice, incarnation, 'target', notice.reason)
    },
    expire(atMs, staleMs) {
      for (const replicas of nodes.values())
        for (const replica of replicas.values())
          if (replica.state !== 'dead' && atMs - replica.heardAt > staleMs) replica.state = 'silent'
    },
    heardAll(atMs) {
      for (const replicas of nodes.values())
        for (const replica of replicas.values()) replica.heardAt = atMs
    },
    missing(workflow) {
      const ids = workflows.find((candidate) => candidate.id === workflow)?.nodes ?? []
      return ids.filter((node) => !hasReady(nodes.get(`${workflow}/${node}`)))
    },
  }
}

function hasReady(replicas: Map<number, Replica> | undefined): boolean {
  for (const replica of replicas?.values() ?? []) if (replica.state === 'ready') return true
  return false
}

function newReplica(a: Announcement, atMs: number, past: string[]): Replica {
  return { incarnation: a.incarnation, pid: a.pid, state: a.state, heardAt: atMs, past }
}
