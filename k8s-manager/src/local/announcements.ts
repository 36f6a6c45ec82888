/** What processes say of themselves over NATS. */
import { ALL_ANNOUNCEMENTS, Announcement, controlSubject, type VersionRef } from '@kre/contracts'
import type { connectNats, Logger } from '@kre/service-kit'

export type NatsConnection = Awaited<ReturnType<typeof connectNats>>

export type Announcements = {
  /** Begins to listen. `onReconnect` is called when messages were missed. */
  start(listener: {
    onAnnouncement: (announcement: Announcement) => void
    onReconnect: () => void
  }): void
  /** Whether messages can arrive now. */
  readonly isAudible: boolean
  /** Asks all processes of the versions to announce themselves at once. */
  ping(versions: Iterable<VersionRef>): void
  /** Publishes a JSON message; on a connection that is closed it is lost, as on one that is cut. */
  publish(subject: string, message: object): void
  close(): void
}

export function watchAnnouncements(nats: NatsConnection, logger: Logger): Announcements {
  let isConnected = true
  let subscription: ReturnType<NatsConnection['subscribe']> | null = null
  const followStatus = async (onReconnect: () => void) => {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect') isConnected = false
      if (type !== 'reconnect') continue
      isConnected = true
      if (subscription?.isClosed() === false) onReconnect()
    }
  }
  const publish = (subject: string, text: string, reply?: string) => {
    if (nats.isClosed() || nats.isDraining()) return
    nats.publish(subject, text, reply === undefined ? {} : { reply })
  }
  return {
    start({ onAnnouncement, onReconnect }) {
      subscription = nats.subscribe(ALL_ANNOUNCEMENTS, {
        callback(error, message) {
          if (error !== null) return logger.warn({ error }, 'announcements can not be read')
          const parsed = parse(message.string())
          if (parsed === null) return logger.warn({ subject: message.subject }, 'no announcement')
          if (isOwn(parsed, message.subject)) return onAnnouncement(parsed)
          logger.warn(
            { subject: message.subject },
            'an announcement of another version was dropped',
          )
        },
      })
      followStatus(onReconnect).catch((error: unknown) =>
        logger.error({ error }, 'the state of the NATS connection is not known any more'),
      )
    },
    get isAudible() {
      return isConnected && !nats.isClosed()
    },
    ping(versions) {
      // The answers go where all announcements go, so entrypoints hear them, too.
      for (const version of versions)
        publish(controlSubject(version, 'ping'), '', controlSubject(version, 'announce'))
    },
    publish: (subject, message) => publish(subject, JSON.stringify(message)),
    close: () => subscription?.unsubscribe(),
  }
}

/** The subject says whose processes speak: NATS lets nobody else publish there. */
function isOwn({ role, runtimeId, version }: Announcement, subject: string): boolean {
  const [, runtime, own = ''] = subject.split('.')
  // The runtime's published address announces itself to the version that it serves.
  return runtimeId === runtime && (version === own || (version === null && role === 'entrypoint'))
}

function parse(text: string): Announcement | null {
  try {
    return Announcement.safeParse(JSON.parse(text)).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
