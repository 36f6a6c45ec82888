import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { emptyEnvelope } from '@kre/contracts'
import { openCoreConnection, openInbox, type CoreMessage, type Inbox } from '@kre/core-nats'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { findSiblings } from './siblings.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const NODE = { runtimeId: 'rt', version: 'v1', workflow: 'main', node: 'one' }

async function openReplica(name: string, wrapInbox = (inbox: Inbox) => inbox) {
  const connection = openCoreConnection(nats.access, name)
  const taken: CoreMessage[] = []
  let notices = 0
  const siblings = findSiblings(NODE, connection, wrapInbox(openInbox(connection)), {
    asArrived: (envelope) => envelope,
    onMessage: (message) => void taken.push(message),
    onFree: () => void notices++,
  })
  await connection.whenUp(5_000)
  await connection.flush()
  return {
    siblings,
    taken,
    notices: () => notices,
    [Symbol.asyncDispose]: async () => {
      await siblings.close()
      connection.close()
    },
  }
}

describe('a replica', () => {
  test('is still known to be free when its notice overtakes the news that nobody was', async () => {
    /** Holds the refusal back until the other's notice is here, as one read of the socket can bring both. */
    let whileRefused = () => Promise.resolve()
    await using busy = await openReplica('busy', (inbox) => ({
      ...inbox,
      request: async (...args) => {
        try {
          return await inbox.request(...args)
        } catch (error) {
          await whileRefused()
          throw error
        }
      },
    }))
    await using other = await openReplica('other')
    await waitUntil('known to each other', () => busy.notices() > 0 && other.notices() > 0)
    whileRefused = async () => {
      const before = busy.notices()
      other.siblings.offer(1)
      await waitUntil('the notice of a free slot', () => busy.notices() > before)
    }

    expect(await busy.siblings.handOver(emptyEnvelope())).toBe(false)
    expect(busy.siblings.mayBeFree).toBe(true)
    expect(await busy.siblings.handOver(emptyEnvelope())).toBe(true)
    expect(other.taken).toHaveLength(1)

    whileRefused = () => Promise.resolve()
    expect(await busy.siblings.handOver(emptyEnvelope())).toBe(false)
    expect(busy.siblings.mayBeFree).toBe(false)
  })
})
