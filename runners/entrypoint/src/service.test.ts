import { describe, expect, test } from '@jest/globals'
import { startNats } from '@kre/service-kit/testing'
import { startEntrypoint } from './service.ts'
import {
  demoInterface,
  demoLaunch,
  GREET,
  startNode,
  writeInterface,
} from './testing/demo-version.ts'
import { connectRaw, frame } from './testing/raw-client.ts'

describe('a request', () => {
  test('reaches the node as an envelope and comes back as its answer', async () => {
    await using nats = await startNats()
    const node = await nats.connect()
    await writeInterface(node, demoInterface('v1'))
    const greeter = startNode(node)
    await using entrypoint = await startEntrypoint(demoLaunch(nats.access))
    await using client = await connectRaw(entrypoint.address)
    const answer = await client.call(GREET, frame('hello'))
    console.log(answer, greeter.requests, entrypoint.stats())
    expect(answer.status).toBe(0)
    expect(answer.payload.toString()).toBe('hello')
  })
})
