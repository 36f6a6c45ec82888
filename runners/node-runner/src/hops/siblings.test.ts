import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { emptyEnvelope, toKreError } from '@kre/contracts'
import {
  openCoreConnection,
  openInbox,
  type CoreConnection,
  type CoreMessage,
  type Inbox,
} from '@kre/core-nats'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { findSiblings } from './siblings.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(async () => nats[Symbol.asyncDispose]())

const NODE = { runtimeId: 'rt', version: 'v1', workflow: 'main', node: 'one' }

async function openReplica(
  name: string,
  wrapInbox = (inbox: Inbox) => inbox,
  wrapConnection = (connection: CoreConnection) => connection,
) {
  const connection = wrapConnection(openCoreConnection(nats.access, name))
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
    flush: () => connection.flush(),
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

  test('says at once that its last slot is taken to who was too late to know', async () => {
    const answers: string[] = []
    await using busy = await openReplica('busy', (inbox) => ({
      ...inbox,
      request: async (...args) => {
        try {
          const answer = await inbox.request(...args)
          answers.push(Buffer.from(answer.data).toString())
          return answer
        } catch (error) {
          answers.push(toKreError(error).code)
          throw error
        }
      },
    }))
    await using other = await openReplica('other')
    await waitUntil('known to each other', () => busy.notices() > 0 && other.notices() > 0)
    other.siblings.offer(1)
    await other.flush()
    const handOver = async () => busy.siblings.handOver(emptyEnvelope())
    const areTaken = await Promise.all([handOver(), handOver()])
    expect(areTaken.filter((isTaken) => isTaken)).toHaveLength(1)
    expect(answers).not.toContain('deadline-exceeded')
    expect(other.taken).toHaveLength(1)
  })

  test('takes as many messages as it has free slots now', async () => {
    await using busy = await openReplica('busy')
    await using other = await openReplica('other')
    await waitUntil('known to each other', () => busy.notices() > 0 && other.notices() > 0)
    const handOver = async () => busy.siblings.handOver(emptyEnvelope())
    for (const slots of [1, 3]) other.siblings.offer(slots)
    await other.flush()
    expect(await handOver()).toBe(true)
    expect(await handOver()).toBe(true)
    expect(await handOver()).toBe(true)
    expect(await handOver()).toBe(false)
    for (const slots of [3, 1]) other.siblings.offer(slots)
    await other.flush()
    expect(await handOver()).toBe(true)
    expect(await handOver()).toBe(false)
  })

  test('is known to those who come when others know each other already', async () => {
    await using first = await openReplica('first')
    await using second = await openReplica('second')
    await waitUntil('known to each other', () => first.notices() > 0 && second.notices() > 0)
    await using third = await openReplica('third')
    await waitUntil('known to the third', () => third.notices() > 0)
    third.siblings.offer(1)
    await third.flush()
    expect(await second.siblings.handOver(emptyEnvelope())).toBe(true)
    expect(third.taken).toHaveLength(1)
  })

  test('is known to be free to one that was away when it said so', async () => {
    let isAway = false
    const back: (() => void)[] = []
    const mayBeAway = (connection: CoreConnection): CoreConnection => ({
      ...connection,
      subscribe: (subject, { onMessage, ...rest }) =>
        connection.subscribe(subject, {
          ...rest,
          onMessage: (message) => void (isAway || onMessage(message)),
        }),
      listen(events) {
        back.push(() => events.onUp?.())
        return connection.listen(events)
      },
    })
    await using busy = await openReplica('busy', undefined, mayBeAway)
    await using other = await openReplica('other')
    await waitUntil('known to each other', () => busy.notices() > 0 && other.notices() > 0)
    expect(await busy.siblings.handOver(emptyEnvelope())).toBe(false)
    expect(busy.siblings.mayBeFree).toBe(false)
    isAway = true
    other.siblings.offer(1)
    await other.flush()
    await busy.flush()
    isAway = false
    for (const onUp of back) onUp()
    await waitUntil('known again', () => busy.siblings.mayBeFree)
    expect(await busy.siblings.handOver(emptyEnvelope())).toBe(true)
  })
})
