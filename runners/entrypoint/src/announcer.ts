import { type Announcement, controlSubject } from '@kre/contracts/runtime'
import type { NatsLink } from './nats-link.ts'
import type { ServedVersion } from './versions/served-version.ts'

/** What this process is; the last two change once in its life. */
export type Self = {
  /** Null: it serves the published one. */
  readonly version: string | null
  readonly replica: number
  readonly incarnation: string
  /** `host:port`; null until it listens. */
  address: string | null
  isDraining: boolean
}

export type Announcer = {
  /** Says what this process is to everybody, or to who asked. Silent until it listens. */
  announce(version: ServedVersion, replyTo?: string): void
}

export function createAnnouncer(link: NatsLink, self: Self): Announcer {
  return {
    announce(version, replyTo = '') {
      if (!link.isUp() || self.address === null) return
      const announcement: Announcement = {
        role: 'entrypoint',
        runtimeId: version.ref.runtimeId,
        version: self.version,
        workflow: null,
        node: null,
        replica: self.replica,
        incarnation: self.incarnation,
        pid: process.pid,
        bundleDigest: version.bundleDigest,
        state: self.isDraining ? 'draining' : 'ready',
        interrupted: [],
        address: self.address,
      }
      const subject = replyTo === '' ? controlSubject(version.ref, 'announce') : replyTo
      link.publish(subject, Buffer.from(JSON.stringify(announcement)))
    },
  }
}
