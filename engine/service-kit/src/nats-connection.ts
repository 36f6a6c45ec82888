import { type Authenticator, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import type { NatsAccess } from '@kre/contracts'
import { connectGuarded } from './nats-transport.ts'

/**
 * A connection that never gives up: reconnects for ever, with jitter, and makes no stack traces per request.
 *
 * @param access asked again for each connection where it is a function, because credentials and certificates expire. What
 * it throws then counts as a server that can't be reached.
 */
export async function connectNats(
  access: NatsAccess | (() => NatsAccess),
  name: string,
): Promise<NatsConnection> {
  const current = () => (typeof access === 'function' ? access() : access)
  const { servers, user, password, credentials, inboxPrefix, tls } = current()
  return connectGuarded({
    servers,
    ...(user === '' ? {} : { user, pass: password }),
    ...(credentials === undefined ? {} : { authenticator: authenticate(current) }),
    ...(inboxPrefix === undefined ? {} : { inboxPrefix }),
    // Demanded, whatever the server offers; with which certificates is asked each time.
    ...(tls === undefined ? {} : { tls: {} }),
    kreTls: () => current().tls,
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

function authenticate(current: () => NatsAccess): Authenticator {
  return (nonce) => {
    const { jwt, seed } = current().credentials ?? { jwt: '', seed: '' }
    return jwtAuthenticator(jwt, new TextEncoder().encode(seed))(nonce)
  }
}
