import type { JsonLogger } from '@kre/service-kit/runner'
import type { NatsConnection } from '@nats-io/transport-node'
import type { NatsLink } from '../nats-link.ts'
import type { Death } from './replica-table.ts'
import type { ServedVersion } from './served-version.ts'
import { type VersionPresence, watchPresence } from './version-presence.ts'
import { createVersionRouter } from './version-router.ts'

/** The version in force, and those before it that still have requests in flight. */
export type VersionSet = {
  current(): ServedVersion | null
  connect(nats: NatsConnection): void
  reconnected(): void
  /** Resolves when what the routing table says now is in force, or can't be. Never fails. */
  look(): Promise<void>
  /** Buckets can be read again. */
  storesBack(): void
  readonly known: Promise<void>
  /** Forgets silent nodes and finished versions; call it about every second while NATS is up. */
  sweep(): void
  stop(): void
}

export function createVersionSet(deps: {
  runtimeId: string
  /** Null: the published one. */
  version: string | null
  link: NatsLink
  staleMs: number
  logger: JsonLogger
  onSwitched: (now: ServedVersion | null) => void
  onNodesChanged: (version: ServedVersion) => void
  onDeath: (version: ServedVersion, death: Death) => void
  onPing: (version: ServedVersion, reply: string) => void
}): VersionSet {
  const presences = new Map<ServedVersion, VersionPresence>()
  const router = createVersionRouter({
    runtimeId: deps.runtimeId,
    version: deps.version,
    logger: deps.logger,
    onLoaded: (version) => void presences.set(version, watchPresence(deps, version)),
    onSwitched: (now) => deps.onSwitched(now),
  })

  return {
    known: router.known,
    current: () => router.current(),
    connect: (nats) => router.connect(nats),
    reconnected() {
      for (const presence of presences.values()) presence.reconnected()
    },
    look: () => router.look(),
    storesBack: () => router.reconnected(),
    sweep() {
      for (const [version, presence] of presences) {
        presence.sweep()
        if (version === router.current() || version.inFlight > 0) continue
        presence.stop()
        presences.delete(version)
      }
    },
    stop() {
      router.stop()
      for (const presence of presences.values()) presence.stop()
    },
  }
}
