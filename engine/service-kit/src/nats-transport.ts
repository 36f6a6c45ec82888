/**
 * The stock client's transport with two things mended. Before the handshake of TLS anybody on the way can put plain text
 * behind the server's greeting, and the stock one takes that for the server's word afterwards. And it keeps certificates
 * for ever, which are renewed.
 */
import type { NatsTls } from '@kre/contracts'
import {
  type ConnectionOptions,
  type NatsConnection,
  NatsConnectionImpl,
  setTransportFactory,
  type TlsOptions,
} from '@nats-io/transport-node'
import { NodeTransport, nodeResolveHost } from '@nats-io/transport-node/lib/node_transport.js'

/** @param tls asked before each connection; undefined = TLS where the server offers it. */
type TransportOptions = ConnectionOptions & { kreTls?: () => NatsTls | undefined }

const LF = 10

/** A class, because that is what the client's protocol takes. */
class GuardedTransport extends NodeTransport {
  override async connect(
    server: Parameters<NodeTransport['connect']>[0],
    options: TransportOptions,
  ): Promise<void> {
    const tls = options.kreTls?.()
    if (tls === undefined) return super.connect(server, options)
    return super.connect(server, { ...options, tls: toOptions(tls, server.hostname) })
  }

  override async startTLS(): ReturnType<NodeTransport['startTLS']> {
    const heard = Buffer.concat(this.yields)
    this.yields = [heard.subarray(0, heard.indexOf(LF) + 1)]
    return super.startTLS()
  }
}

/** As the client's own `connect`. */
export async function connectGuarded(options: TransportOptions): Promise<NatsConnection> {
  setTransportFactory({
    factory: () => new GuardedTransport(),
    dnsResolveFn: nodeResolveHost,
  })
  return NatsConnectionImpl.connect(options)
}

/** What it does not know of goes to Node.js. */
function toOptions(
  { ca, cert, key, serverName, handshakeFirst }: NatsTls,
  host: string,
): TlsOptions {
  const options = {
    // The client says no name for an address; without this one the certificate would have to be for `localhost`.
    host,
    handshakeFirst: handshakeFirst === true,
    minVersion: 'TLSv1.2',
    // Also by one that another authority vouches for, as issuers give it out: servers take that one's word too.
    ...(ca === undefined ? {} : { ca, allowPartialTrustChain: true }),
    ...(cert === undefined ? {} : { cert, key: key ?? '' }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  }
  return options
}
