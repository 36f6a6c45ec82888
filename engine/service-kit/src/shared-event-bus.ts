import { ENGINE_EVENTS_SUBJECT, EngineEvent, type EventBus } from '@kre/contracts'
import type { NatsConnection } from '@nats-io/transport-node'
import { z } from 'zod'
import type { Logger } from './logger.ts'

const Carried = z.object({ origin: z.string(), event: EngineEvent })

/**
 * Events of all engines on one NATS: what one publishes reaches the listeners of every one, its own without the
 * detour. An event that is lost on the way only delays, because events are hints.
 *
 * @param deps.local of this process.
 * @param deps.origin tells this process from the others.
 * @param deps.nats whose end is the end of what comes from others.
 * @param deps.onGap after a reconnect: events may have been missed, so whoever listens shall look anew.
 */
export function createSharedEventBus(deps: {
  local: EventBus
  nats: NatsConnection
  origin: string
  logger: Logger
  onGap: () => void
}): EventBus {
  const { local, nats, origin, logger } = deps
  nats.subscribe(ENGINE_EVENTS_SUBJECT, {
    callback(error, message) {
      if (error !== null) {
        logger.error({ err: error }, 'events of other engines are not received')
        return
      }
      const carried = parse(message.data)
      if (carried === null) logger.warn('an event of another engine was not understood')
      else if (carried.origin !== origin) local.publish(carried.event)
    },
  })
  void watchReconnects(nats, deps.onGap)
  return {
    publish(event) {
      local.publish(event)
      // Draining, the connection takes nothing any more; nobody needs the hint then.
      if (nats.isClosed() || nats.isDraining()) return
      nats.publish(ENGINE_EVENTS_SUBJECT, JSON.stringify({ origin, event }))
    },
    subscribe: (listener) => local.subscribe(listener),
  }
}

/** Ends with the connection. */
async function watchReconnects(nats: NatsConnection, onGap: () => void): Promise<void> {
  for await (const { type } of nats.status()) if (type === 'reconnect') onGap()
}

/** Null for what is no event, or one that only a newer engine knows. */
function parse(data: Uint8Array): z.infer<typeof Carried> | null {
  try {
    return Carried.parse(JSON.parse(Buffer.from(data).toString('utf8')))
  } catch {
    return null // told apart by the caller, who logs it
  }
}
