import { Announcement, controlSubject, DeathNotice } from '@kre/contracts/runtime'
import type { NatsLink } from '../nats-link.ts'
import type { Death } from './replica-table.ts'
import type { ServedVersion } from './served-version.ts'

/** Keeps `missing` of a version's workflows true by what its processes say. */
export type VersionPresence = {
  readonly version: ServedVersion
  /** Asks everybody to announce themselves, at once. */
  ping(): void
  /** Silence while NATS was away says nothing about the nodes. */
  reconnected(): void
  /** Call it about every second while NATS is up. */
  sweep(): void
  stop(): void
}

export function watchPresence(
  deps: {
    link: NatsLink
    staleMs: number
    onNodesChanged: (version: ServedVersion) => void
    onDeath: (version: ServedVersion, death: Death) => void
    /** Somebody asks for this process's own announcement. */
    onPing: (version: ServedVersion, reply: string) => void
  },
  version: ServedVersion,
): VersionPresence {
  const { link } = deps
  const { replicas } = version

  const update = () => {
    let isChanged = false
    for (const workflow of version.workflows.values()) {
      const missing = replicas.missing(workflow.id)
      if (missing.join() === workflow.missing.join()) continue
      workflow.missing = missing
      isChanged = true
    }
    return isChanged
  }
  const settle = (death: Death | null) => {
    const isChanged = update()
    if (death !== null) deps.onDeath(version, death)
    if (isChanged) deps.onNodesChanged(version)
  }
  const heard = (announcement: Announcement) => {
    // The subject says whose processes speak here: what they say of another version is nothing.
    if (announcement.role === 'node' && announcement.version === version.ref.version)
      settle(replicas.announced(announcement, performance.now()))
  }
  const ping = () => {
    // The answers go where all announcements go: that subject belongs to the version alone.
    if (link.isUp())
      link.publish(
        controlSubject(version.ref, 'ping'),
        new Uint8Array(0),
        controlSubject(version.ref, 'announce'),
      )
  }

  const ends = [
    link.subscribe(controlSubject(version.ref, 'announce'), (message) => {
      const announcement = parseAnnouncement(message.data)
      if (announcement !== null) heard(announcement)
    }),
    link.subscribe(controlSubject(version.ref, 'gone'), (message) => {
      const notice = DeathNotice.safeParse(parseJson(message.data))
      if (notice.success) settle(replicas.died(notice.data))
    }),
    link.subscribe(controlSubject(version.ref, 'ping'), (message) =>
      deps.onPing(version, message.reply),
    ),
  ]
  // A workflow without nodes misses none.
  update()
  ping()

  return {
    version,
    ping,
    reconnected() {
      replicas.heardAll(performance.now())
      ping()
    },
    sweep() {
      replicas.expire(performance.now(), deps.staleMs)
      settle(null)
    },
    stop() {
      for (const end of ends) end()
    },
  }
}

/** Null for anything else: control subjects are open to all processes of the version. */
function parseAnnouncement(data: Uint8Array): Announcement | null {
  return Announcement.safeParse(parseJson(data)).data ?? null
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString())
  } catch {
    return null // not JSON: refused by the schema like any other value
  }
}
