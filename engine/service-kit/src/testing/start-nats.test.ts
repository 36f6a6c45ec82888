import { describe, expect, test } from '@jest/globals'
import { waitUntil } from '../wait-until.ts'
import { startNats } from './start-nats.ts'

describe('startNats', () => {
  test('gives a server that comes back on its port after a kill', async () => {
    await using nats = await startNats()
    const connection = await nats.connect()
    const before = nats.pid
    await nats.restart()
    await waitUntil('reconnected', () =>
      connection.flush().then(
        () => true,
        () => false,
      ),
    )
    expect(nats.pid).not.toBe(before)
  })
})
