import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Limits } from '../limits.ts'

export type ConnectionGuard = {
  opened(session: ServerHttp2Session): void
  called(stream: ServerHttp2Stream): void
  closed(session: ServerHttp2Session): void
  /** Looks at every connection once; call it every `sweepMs`. */
  sweep(): void
}

type Watched = {
  readonly openedAt: number
  /** Last call's end or start, or the opening. */
  usedAt: number
  heardAt: number
  calls: number
  hasPreface: boolean
  pingPending: boolean
  pings: number
  settings: number
}

/**
 * Ends connections that cost more than they bring: without a preface, idle, too old, dead on the other side, or
 * flooding with frames that need no call.
 *
 * @param now monotonic, in ms.
 */
export function createConnectionGuard(
  limits: Limits,
  now: () => number = () => performance.now(),
): ConnectionGuard {
  const connections = new Map<ServerHttp2Session, Watched>()

  const look = (session: ServerHttp2Session, watched: Watched, at: number) => {
    watched.pings = 0
    watched.settings = 0
    if (!watched.hasPreface) {
      if (at - watched.openedAt > limits.handshakeMs) session.destroy()
      return
    }
    const isIdle = watched.calls === 0 && at - watched.usedAt > limits.idleMs
    // Closing sends GOAWAY and lets calls finish.
    if (isIdle || at - watched.openedAt > limits.ageMs) session.close()
    if (at - watched.heardAt <= limits.keepaliveMs) return
    if (watched.pingPending) {
      if (at - watched.heardAt > 2 * limits.keepaliveMs) session.destroy()
      return
    }
    watched.pingPending = session.ping((error) => {
      watched.pingPending = false
      if (error === null) watched.heardAt = now()
    })
  }

  return {
    opened(session) {
      const at = now()
      const watched: Watched = {
        openedAt: at,
        usedAt: at,
        heardAt: at,
        calls: 0,
        hasPreface: false,
        pingPending: false,
        pings: 0,
        settings: 0,
      }
      connections.set(session, watched)
      session.on('remoteSettings', () => {
        watched.hasPreface = true
        if (++watched.settings > limits.settingsPerSweepMax) calmDown(session)
      })
      session.on('ping', () => {
        if (++watched.pings > limits.pingsPerSweepMax) calmDown(session)
      })
    },
    called(stream) {
      const watched = stream.session && connections.get(stream.session as ServerHttp2Session)
      if (watched === undefined || watched === null) return
      watched.calls++
      watched.heardAt = now()
      stream.once('close', () => {
        watched.calls--
        watched.usedAt = now()
      })
    },
    closed: (session) => void connections.delete(session),
    sweep() {
      const at = now()
      for (const [session, watched] of connections) look(session, watched, at)
    },
  }
}

function calmDown(session: ServerHttp2Session): void {
  if (session.destroyed) return
  session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'))
  session.destroy()
}
