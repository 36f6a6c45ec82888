import { describe, expect, test } from '@jest/globals'
import { KreError, type NodeLaunch, type OutputRecord } from '@kre/contracts'
import type { CoreConnection, CoreMessage, Inbox } from '@kre/core-nats'
import { waitUntil } from '@kre/service-kit'
import { createOutbox } from './outbox.ts'

const launch = { runtimeId: 'rt', version: 'v1', workflow: 'wf' } as NodeLaunch
const MAX_PAYLOAD = 1_000_000

type Stream = (data: string) => 'taken' | 'missing' | 'refused' | 'garbage' | 'silent' | KreError

const ANSWERS = {
  taken: { data: '{"stream":"O","seq":1}', status: 0 },
  missing: { data: '', status: 503 },
  refused: { data: '{"error":{"description":"maximum bytes exceeded"}}', status: 0 },
  garbage: { data: 'no JSON', status: 0 },
}

/** An outbox in front of a stream that does as it is told. */
function open(stream: Stream) {
  const answers = new Map<string, (message: CoreMessage) => void>()
  const published: string[] = []
  let dropped = 0
  let subjects = 0
  const connection = {
    isUp: () => true,
    maxPayload: () => MAX_PAYLOAD,
    listen: () => () => undefined,
    publish(_subject: string, data: Uint8Array, reply: string) {
      const text = Buffer.from(data).toString()
      if (text.length > MAX_PAYLOAD) throw new KreError('resource-exhausted', 'too large')
      const what = stream(text)
      if (what instanceof KreError) throw what
      published.push(text)
      if (what === 'silent') return
      const { data: body, status } = ANSWERS[what]
      setImmediate(() =>
        answers.get(reply)?.({ data: Buffer.from(body), status } as unknown as CoreMessage),
      )
    },
  } as unknown as CoreConnection
  const inbox = {
    expect(onAnswer: (message: CoreMessage) => void) {
      const subject = `answer.${subjects++}`
      answers.set(subject, onAnswer)
      return { subject, forget: () => void answers.delete(subject) }
    },
  } as unknown as Inbox
  const outbox = createOutbox(launch, connection, inbox, () => void dropped++)
  return { outbox, published, answers, dropped: () => dropped }
}

const record = (text: string) =>
  ({ kind: 'log', id: text, message: text }) as unknown as OutputRecord

describe('a record', () => {
  test('counts as sent when the stream has it', async () => {
    const { outbox, published, answers } = open(() => 'taken')
    await outbox.send(record('one'))
    expect(published).toHaveLength(1)
    expect(answers.size).toBe(0)
  })

  test.each(['missing', 'refused', 'garbage'] as const)(
    'is tried again when the stream is or says: %s',
    async (what) => {
      let tries = 0
      const { outbox, published } = open(() => (++tries < 3 ? what : 'taken'))
      await outbox.send(record('one'))
      expect(published).toHaveLength(3)
    },
  )

  test('is tried again when too much waits for NATS, and not when it is too large', async () => {
    let tries = 0
    const busy = new KreError('resource-exhausted', 'bytes wait for the NATS server')
    const { outbox, published } = open(() => (++tries < 2 ? busy : 'taken'))
    await outbox.send(record('one'))
    expect(published).toHaveLength(1)
    await expect(outbox.send(record('x'.repeat(MAX_PAYLOAD)))).rejects.toThrow('too large')
    expect(tries).toBe(2)
  })

  test('is given up after some tries, and whoever waits for it is told', async () => {
    const { outbox, published } = open(() => 'missing')
    await expect(outbox.send(record('one'))).rejects.toThrow('the version has no outputs stream')
    expect(published).toHaveLength(5)
  })
})

describe('records', () => {
  test('that are tried again count against the bound, so that memory is bounded', async () => {
    let isThere = false
    const { outbox, dropped } = open(() => (isThere ? 'taken' : 'missing'))
    // As nodes post them: some in each turn of the event loop, for as long as the stream is away.
    for (let turn = 0; turn < 200; turn++) {
      for (let i = 0; i < 200; i++) outbox.post(record(`${turn}/${i}`))
      await new Promise(setImmediate)
    }
    // 256 more may be on their way.
    expect(dropped()).toBeGreaterThanOrEqual(200 * 200 - 10_256)
    const before = dropped()
    const large = 'x'.repeat(500_000)
    for (let i = 0; i < 40; i++) outbox.post(record(large))
    expect(dropped() - before).toBeGreaterThan(9_000)
    isThere = true
    await outbox.flush(5_000)
  })

  test('that are tried again are waited for at the end', async () => {
    let isThere = false
    const { outbox, published } = open(() => (isThere ? 'taken' : 'missing'))
    for (let i = 0; i < 10; i++) outbox.post(record(`${i}`))
    await waitUntil('all were refused', () => published.length === 10)
    isThere = true
    await outbox.flush(5_000)
    expect(published).toHaveLength(20)
  })

  test('that nobody takes do not hold up the end', async () => {
    let tries = 0
    const { outbox, published, answers } = open(() => (++tries === 1 ? 'silent' : 'taken'))
    outbox.post(record('one'))
    await outbox.flush(50)
    expect(published).toHaveLength(1)
    for (const answer of answers.values())
      answer({ data: Buffer.from(ANSWERS.taken.data), status: 0 } as unknown as CoreMessage)
    await outbox.flush(5_000)
  })
})
