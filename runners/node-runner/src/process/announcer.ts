/** Says that this process is there, and notices when the engine is not. */
import {
  controlSubject,
  ENGINE_HEARTBEAT_SUBJECT,
  type Announcement,
  type NodeLaunch,
} from '@kre/contracts/runtime'
import type { CoreConnection } from '@kre/core-nats'

const EVERY_MS = 2_000

export type Announcer = {
  /** From now on, takes part in the version. */
  ready(): void
  draining(): void
}

/**
 * @param interrupted requests that an earlier process was handling when it died.
 * @param onEngineAbsent called once when the engine has been silent for `engineAbsenceMs`.
 */
export function createAnnouncer(
  launch: NodeLaunch,
  connection: CoreConnection,
  { incarnation, interrupted }: { incarnation: string; interrupted: readonly string[] },
  onEngineAbsent: () => void,
): Announcer {
  const subject = controlSubject(launch, 'announce')
  let state: Announcement['state'] = 'ready'
  let engineSeenAt = performance.now()
  let timer: NodeJS.Timeout | undefined

  const announcement = (interruptedNow: readonly string[]): Buffer => {
    const message: Announcement = {
      role: 'node',
      runtimeId: launch.runtimeId,
      version: launch.version,
      workflow: launch.workflow,
      node: launch.node,
      replica: launch.replica,
      incarnation,
      pid: process.pid,
      bundleDigest: launch.bundleDigest,
      state,
      interrupted: [...interruptedNow],
      address: null,
    }
    return Buffer.from(JSON.stringify(message))
  }
  const tick = () => {
    if (performance.now() - engineSeenAt > launch.engineAbsenceMs) {
      clearInterval(timer)
      return onEngineAbsent()
    }
    connection.publish(subject, announcement([]))
  }

  return {
    ready() {
      connection.subscribe(ENGINE_HEARTBEAT_SUBJECT, {
        onMessage: () => void (engineSeenAt = performance.now()),
      })
      connection.subscribe(controlSubject(launch, 'ping'), {
        onMessage({ reply }) {
          if (reply !== '') connection.publish(reply, announcement([]))
        },
      })
      // Said once: whoever hears it acts on it, and acting twice would repeat the requests.
      connection.publish(subject, announcement(interrupted))
      const everyMs = Math.min(EVERY_MS, Math.max(launch.engineAbsenceMs / 2, 10))
      timer = setInterval(tick, everyMs)
    },
    draining() {
      clearInterval(timer)
      state = 'draining'
      connection.publish(subject, announcement([]))
    },
  }
}
