import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, test } from '@jest/globals'
import { DEFAULT_LIMITS } from '../limits.ts'
import { listenGrpc } from './grpc-server.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

test('an empty host is all addresses, of IPv4 and, where there are some, of IPv6', async () => {
  const server = await listenGrpc({
    host: '',
    port: 0,
    limits: DEFAULT_LIMITS,
    onStream: () => undefined,
    onExchange: () => undefined,
    onRefused: () => undefined,
  })
  try {
    for (const host of hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
      const socket = connect({ host, port: server.port })
      await once(socket, 'connect')
      expect(socket.remotePort).toBe(server.port)
      socket.destroy()
    }
  } finally {
    server.close()
  }
})
