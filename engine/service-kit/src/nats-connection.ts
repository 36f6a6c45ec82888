import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { NatsAccess } from '@kre/contracts'

/** A connection that never gives up: reconnects for ever, with jitter, and makes no stack traces per request. */
export async function connectNats(access: NatsAccess, name: string): Promise<NatsConnection> {
  return connect({
    servers: access.servers,
    ...(access.user === '' ? {} : { user: access.user, pass: access.password }),
    name,
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 100,
    waitOnFirstConnect: true,
    pingInterval: 20_000,
    // Of each try: a peer that accepts and says nothing would hold up the next one for 20 s.
    timeout: 5_000,
  })
}
