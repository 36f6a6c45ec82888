/**
 * A NATS manager that is not asked again for what it has just found complete: a pass over a runtime in which nothing
 * changes asks the server for nothing, however many runtimes there are. What somebody else changes, the server tells.
 */
import {
  ALL_ROUTING_WRITES,
  MINUTE_MS,
  type NatsManager,
  type NatsVersion,
  type RoutingTable,
} from '@kre/contracts'
import type { NatsConnection } from '@nats-io/transport-node'

/** All is looked at again after so long, for what no advisory tells, more or less by the share below. */
const LOOK_MS = 5 * MINUTE_MS
const SPREAD = 0.25

/** What of runtimes goes or changes, and what is written; and which token of the subject names the stream, or the bucket. */
type Hint = readonly [subject: string, token: number]
const DELETION: Hint = ['$JS.EVENT.ADVISORY.STREAM.DELETED.*', 5]
const CHANGES: readonly Hint[] = [
  ['$JS.EVENT.ADVISORY.STREAM.UPDATED.*', 5],
  ['$JS.EVENT.ADVISORY.CONSUMER.DELETED.*.*', 5],
]
const WRITES = ALL_ROUTING_WRITES.map((subject) => [subject, 1] as const)

/** What was complete of a runtime. */
type Complete = {
  /** By name: what each version was like. */
  readonly versions: ReadonlyMap<string, string>
  /** All is looked at again then. */
  readonly until: number
  /** Entries were written since: they are looked at again, and streams are as they were. */
  isWritten: boolean
}

/**
 * @param nats the connection of the manager, of the account that has the streams.
 * @param now ms of a clock that is never set back.
 */
export function rememberComplete(
  manager: NatsManager,
  nats: NatsConnection,
  now: () => number = () => performance.now(),
): NatsManager & Disposable {
  /** By runtime. */
  const complete = new Map<string, Complete>()
  const tables = new Map<string, { table: RoutingTable | null; until: number }>()
  /** By runtime that is looked at: streams that went meanwhile. */
  const gone = new Map<string, Set<string>>()
  let hints = 0
  const until = () => now() + LOOK_MS * (1 + SPREAD * (2 * Math.random() - 1))
  const forget = (runtimeId: string) => {
    complete.delete(runtimeId)
    tables.delete(runtimeId)
    hints += 1
  }
  const written = (runtimeId: string) => {
    const known = complete.get(runtimeId)
    if (known !== undefined) known.isWritten = true
    tables.delete(runtimeId)
    hints += 1
  }
  const deleted = (runtimeId: string, name: string) => {
    forget(runtimeId)
    gone.get(runtimeId)?.add(name)
  }
  const hear = (tell: (runtimeId: string, name: string) => void, [subject, token]: Hint) =>
    nats.subscribe(subject, {
      callback(error, message) {
        // A name has the runtime's id in it, and maybe those of others: they are only looked at once more.
        const name = (error === null ? message.subject.split('.')[token] : undefined) ?? ''
        for (const part of name.split('_')) tell(part, name)
      },
    })
  const heard = [
    hear(deleted, DELETION),
    ...CHANGES.map((hint) => hear(forget, hint)),
    ...WRITES.map((hint) => hear(written, hint)),
  ]
  void followReconnects(nats, () => {
    for (const runtimeId of [...complete.keys(), ...tables.keys()]) forget(runtimeId)
  })

  return {
    runtimes: async () => manager.runtimes(),
    async converge(runtimeId, versions) {
      const looks = looksOf(versions)
      const before = complete.get(runtimeId)
      const known = before !== undefined && now() < before.until ? before : null
      const sound = new Set(
        [...looks]
          .filter(([name, look]) => known?.versions.get(name) === look)
          .map(([name]) => name),
      )
      const isAll = sound.size === looks.size && known?.versions.size === looks.size
      if (isAll && !known.isWritten) return { created: [], removed: [] }
      complete.delete(runtimeId)
      const went = new Set<string>()
      gone.set(runtimeId, went)
      const changes = await manager.converge(runtimeId, versions, sound)
      gone.delete(runtimeId)
      // Hints that came meanwhile are mostly about what this one has done: nothing of it is forgotten for them, but for
      // what somebody else has deleted.
      const isWhole = [...went].every((name) => changes.removed.includes(name))
      if (isWhole && (changes.waiting ?? []).length === 0)
        complete.set(runtimeId, {
          versions: looks,
          until: known?.until ?? until(),
          isWritten: false,
        })
      return changes
    },
    async removeRuntime(runtimeId) {
      forget(runtimeId)
      return manager.removeRuntime(runtimeId)
    },
    async readRouting(runtimeId) {
      const known = tables.get(runtimeId)
      if (known !== undefined && now() < known.until) return known.table
      const before = hints
      const table = await manager.readRouting(runtimeId)
      // What was told while it was read may be newer.
      if (hints === before) tables.set(runtimeId, { table, until: until() })
      return table
    },
    async writeRouting(runtimeId, table, token) {
      forget(runtimeId)
      await manager.writeRouting(runtimeId, table, token)
    },
    [Symbol.dispose]() {
      if (!nats.isClosed()) for (const subscription of heard) subscription.unsubscribe()
    },
  }
}

/** A server that was away may have come back with another disk. */
async function followReconnects(nats: NatsConnection, onReconnect: () => void): Promise<void> {
  for await (const { type } of nats.status()) if (type === 'reconnect') onReconnect()
}

/** What a plan is made of, by version: the facts of a bundle never change. */
function looksOf(versions: readonly NatsVersion[]): Map<string, string> {
  return new Map(
    versions.map(({ version, versionId, bundleDigest, wanted, isDraining }) => [
      version,
      JSON.stringify([versionId, bundleDigest, wanted, isDraining === true]),
    ]),
  )
}
