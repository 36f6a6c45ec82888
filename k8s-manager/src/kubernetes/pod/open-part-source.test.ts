import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from '@jest/globals'
import { openPartSource } from './open-part-source.ts'

const access = (port: number) => ({
  servers: [`nats://127.0.0.1:${port}`],
  user: 'u',
  password: 'p',
})

test('a pod says why NATS does not let it in, and what to look at', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  silent.close()
  await expect(openPartSource(access(port), 300)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(
      /^NATS does not let the pod in: no connection .*ECONNREFUSED.*network\.nats.*account of the version$/,
    ),
  })
})

test('credentials that are refused are said at once', async () => {
  const refusing = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write('INFO {"headers":true,"max_payload":1048576}\r\n')
    socket.once('data', () => socket.end("-ERR 'Authorization Violation'\r\n"))
  }).listen(0, '127.0.0.1')
  await once(refusing, 'listening')
  const { port } = refusing.address() as AddressInfo
  await expect(openPartSource(access(port))).rejects.toThrow(/does not let the pod in: .*refuse/i)
  refusing.close()
})
