import { describe, expect, test } from '@jest/globals'
import { startNats } from './start-nats.ts'

describe('startNats', () => {
  test('gives a server that comes back on its port after a kill', async () => {
    await using nats = await startNats()
    const connection = await nats.connect()
    const before = nats.pid
    await nats.restart()
    await connection.flush()
    expect(nats.pid).not.toBe(before)
  })
})
