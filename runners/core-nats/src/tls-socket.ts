import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { KreError, type NatsTls } from '@kre/contracts/runtime'

/**
 * Speaks TLS over a socket, which may still be connecting. Nothing that is written to the result goes out before the
 * server's certificate was looked at: wait for `secureConnect`.
 *
 * @param tls null = the system's authorities, and no certificate of our own.
 * @param host of the server's address: a name, or an IP address, which the certificate has to have then.
 * @throws KreError `invalid-argument` for certificates or a key that can't be read.
 */
export function tlsOver(raw: Socket, tls: NatsTls | null, host: string): TLSSocket {
  // Loaded by those who use it.
  const { connect } = process.getBuiltinModule('node:tls')
  const { isIP } = process.getBuiltinModule('node:net')
  const { ca, cert, key, serverName } = tls ?? {}
  // An address is no name that could be asked for (RFC 6066), but has to be in the certificate all the same.
  const asked = serverName ?? (isIP(host) === 0 ? host : undefined)
  try {
    const socket = connect({
      socket: raw,
      host,
      minVersion: 'TLSv1.2',
      ...(asked === undefined ? {} : { servername: asked }),
      // Also by one that another authority vouches for, as issuers give it out: servers take that one's word too.
      ...(ca === undefined ? {} : { ca, allowPartialTrustChain: true }),
      ...(cert === undefined ? {} : { cert, key }),
    })
    raw.on('error', (error) => socket.destroy(error))
    return socket
  } catch (error) {
    const { message } = error as Error
    const text = `the certificates or the key that are given for NATS can't be read: ${message}`
    throw new KreError('invalid-argument', text, {}, { cause: error })
  }
}
