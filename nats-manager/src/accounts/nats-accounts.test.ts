import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { headers, type Msg, type NatsConnection } from '@nats-io/transport-node'
import {
  ALL_ANNOUNCEMENTS,
  controlSubject,
  DAY_MS,
  dataSubject,
  ENGINE_HEARTBEAT_SUBJECT,
  ingressSubject,
  HOUR_MS,
  metricsSubject,
  type NatsAccess,
  nodeSubject,
  outputSubject,
  replySubject,
  STORED_REPLY_HEADER,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import {
  entrypointWorkload,
  type IsolatedNats,
  nodeWorkload,
  sampleVersion,
  startIsolatedNats,
} from '../testing/index.ts'

const CREDENTIALS_MS = HOUR_MS
const V1 = { runtimeId: 'demo', version: 'v1' }
const WF = { ...V1, workflow: 'wf' }
const A = { ...WF, node: 'a' }
const REPLY = replySubject('demo', 'e1', 't1')

let nats: IsolatedNats
let engine: NatsConnection
let a: NatsConnection
let b: NatsConnection
let published: NatsConnection
beforeAll(async () => {
  nats = await startIsolatedNats(CREDENTIALS_MS)
  engine = nats.engine
  a = await nats.connect(nodeWorkload('demo', 'v1', 'a'))
  b = await nats.connect(nodeWorkload('demo', 'v1', 'b'))
  published = await nats.connect(entrypointWorkload('demo', null))
})
afterAll(async () => nats[Symbol.asyncDispose]())

/** What arrives at a subscription, as text. */
async function heard(connection: NatsConnection, subject: string, queue = '') {
  const messages: Msg[] = []
  const subscription = connection.subscribe(subject, {
    ...(queue === '' ? {} : { queue }),
    callback: (error, message) => void (error === null && messages.push(message)),
  })
  await connection.flush()
  return Object.assign(messages, { stop: () => subscription.unsubscribe() })
}
const inbox = (node: string, token: string) => `_INBOX.demo.v1.wf.${node}.p1.${token}`
const texts = (messages: readonly Msg[]) => messages.map((message) => message.string())

describe('what passes between the accounts', () => {
  test('a request reaches one replica of the node, and without any the entrypoint hears so at once', async () => {
    const replies = await heard(published, `${replySubject('demo', 'e1', '')}*`)
    published.publish(ingressSubject(WF), 'early', { reply: REPLY })
    await waitUntil('the bounce', () => replies.length === 1)
    expect(replies[0]?.headers?.code).toBe(503)
    const requests = await heard(a, ingressSubject(WF), 'a')
    for (let count = 0; count < 5; count++)
      published.publish(ingressSubject(WF), `request ${count}`, { reply: REPLY })
    await waitUntil('the requests', () => requests.length === 5)
    expect(requests[0]?.reply).toBe(REPLY)
    expect(replies).toHaveLength(1)
    requests.stop()
  })

  test('nodes send on, answer, and hear when nobody listens any more', async () => {
    const bounces = await heard(a, inbox('a', '*'))
    a.publish(nodeSubject(A), 'too early', { reply: inbox('a', 'b1') })
    await waitUntil('the bounce', () => bounces.length === 1)
    const hops = await heard(b, nodeSubject(A), 'b')
    a.publish(nodeSubject(A), 'hop', { reply: inbox('a', 'b2') })
    await waitUntil('the hop', () => hops.length === 1)
    const answers = await heard(published, `${replySubject('demo', 'e2', '')}*`)
    b.publish(replySubject('demo', 'e2', 't'), 'answer', { reply: inbox('b', 'c') })
    await waitUntil('the answer', () => texts(answers).includes('answer'))
    // The credit of a stream.
    const credits = await heard(b, inbox('b', '*'))
    published.publish(answers[0]?.reply ?? '', 'credit')
    await waitUntil('the credit', () => texts(credits).includes('credit'))
    b.publish(replySubject('demo', 'gone', 't'), 'frame', { reply: inbox('b', 'g') })
    await waitUntil('the news', () => credits.some((message) => message.headers?.code === 503))
    expect(bounces).toHaveLength(1)
  })

  test('announcements, pings, cancellations and deaths reach whom they are for, once', async () => {
    const atEngine = await heard(engine, ALL_ANNOUNCEMENTS)
    const atEntrypoint = await heard(published, controlSubject(V1, 'announce'))
    a.publish(controlSubject(V1, 'announce'), 'I am a')
    await waitUntil('both', () => atEngine.length > 0 && atEntrypoint.length > 0)
    const pings = await heard(a, controlSubject(V1, 'ping'))
    const cancels = await heard(a, controlSubject(V1, 'cancel'))
    const kept = await heard(a, controlSubject(V1, 'kept'))
    const deaths = await heard(published, controlSubject(V1, 'gone'))
    const steps = await heard(engine, controlSubject(V1, 'steps'))
    engine.publish(controlSubject(V1, 'ping'), 'engine', { reply: controlSubject(V1, 'announce') })
    engine.publish(controlSubject(V1, 'gone'), 'b died')
    published.publish(controlSubject(V1, 'ping'), 'entrypoint')
    published.publish(controlSubject(V1, 'cancel'), 'r1')
    published.publish(controlSubject(V1, 'kept'), 'r2')
    a.publish(controlSubject(V1, 'steps'), 'r2 took 1 ms')
    await waitUntil('all', () => pings.length >= 2 && kept.length > 0 && steps.length > 0)
    await waitUntil('the others', () => cancels.length > 0 && deaths.length > 0)
    expect(texts(pings).toSorted()).toEqual(['engine', 'entrypoint'])
    expect(pings.find((message) => message.string() === 'engine')?.reply).toBe(
      controlSubject(V1, 'announce'),
    )
    expect([atEngine, atEntrypoint, cancels, kept, deaths, steps].map((all) => all.length)).toEqual(
      [1, 1, 1, 1, 1, 1],
    )
  })

  test('heartbeats reach all, and counts the engine', async () => {
    const beats = await Promise.all(
      [a, b, published].map((connection) => heard(connection, ENGINE_HEARTBEAT_SUBJECT)),
    )
    const counts = await heard(engine, metricsSubject('demo'))
    engine.publish(ENGINE_HEARTBEAT_SUBJECT)
    a.publish(metricsSubject('demo'), 'node')
    published.publish(metricsSubject('demo'), 'entrypoint')
    await waitUntil('all', () => beats.every((one) => one.length === 1) && counts.length === 2)
  })

  test('outputs are confirmed by the stream, and documents by the store', async () => {
    const subject = outputSubject(V1, 'wf', 'document')
    const ack = await a.request(subject, '{}')
    expect(ack.json()).toMatchObject({ stream: 'OUT_demo_v1', seq: expect.any(Number) })
    const entrypoints = await published.request(outputSubject(V1, 'wf', 'log'), '{}')
    expect(entrypoints.json()).toMatchObject({ stream: 'OUT_demo_v1' })
    const stored = await heard(a, inbox('a', 's'))
    const wanted = await heard(engine, subject)
    const block = headers()
    block.set(STORED_REPLY_HEADER, inbox('a', 's'))
    a.publish(subject, '{}', { headers: block })
    await waitUntil('the document', () => wanted.length === 1)
    engine.publish(wanted[0]?.headers?.get(STORED_REPLY_HEADER) ?? '', 'stored')
    await waitUntil('the confirmation', () => texts(stored).includes('stored'))
    engine.subscribe(dataSubject('demo', 'find'), {
      callback: (_, message) => void message.respond('found'),
    })
    await engine.flush()
    expect((await a.request(dataSubject('demo', 'find'), '{}')).string()).toBe('found')
  })

  test('values, objects and large payloads are kept in buckets of the engine', async () => {
    const put = await a.request('$KV.KV_demo_v1_wf_a.k', 'value')
    expect(put.json()).toMatchObject({ stream: 'KV_KV_demo_v1_wf_a' })
    const got = await a.request(
      '$JS.API.STREAM.MSG.GET.KV_KV_demo_v1_wf_a',
      JSON.stringify({ last_by_subj: '$KV.KV_demo_v1_wf_a.k' }),
    )
    expect(got.json()).toMatchObject({ message: { data: Buffer.from('value').toString('base64') } })
    const chunk = await a.request('$O.OBJ_demo_v1_wf_models.C.x', 'chunk')
    expect(chunk.json()).toMatchObject({ stream: 'OBJ_OBJ_demo_v1_wf_models' })
    const info = await a.request('$JS.API.STREAM.INFO.OBJ_OBJ_demo_v1_wf_models', '')
    expect(info.json()).toMatchObject({ state: { messages: 1 } })
    await a.request('c.demo.e1.t1.v1.k.0', 'bytes')
    const direct = '$JS.API.DIRECT.GET.CLAIMS_demo_v1.c.demo.e1.t1.v1.k.0'
    expect((await b.request(direct, '')).string()).toBe('bytes')
    expect((await published.request(direct, '')).string()).toBe('bytes')
    const filter = JSON.stringify({ filter: 'c.demo.e1.t1.>' })
    const purged = await published.request('$JS.API.STREAM.PURGE.CLAIMS_demo_v1', filter)
    expect(purged.json()).toMatchObject({ purged: 1 })
    // Its user may ask for any stream; its account has those of its versions' payloads alone.
    for (const stream of ['OUT_demo_v1', 'CLAIMS_other_v1'])
      await expect(published.request(`$JS.API.STREAM.PURGE.${stream}`, filter)).rejects.toThrow()
  })

  test('routing is read, and a change of it is heard', async () => {
    const changes = await heard(published, '$KV.RT_demo.routing')
    await nats.manager.writeRouting('demo', { generation: 1, published: 'v1' })
    await waitUntil('the change', () => changes.length === 1)
    const request = JSON.stringify({ last_by_subj: '$KV.RT_demo.routing' })
    const read = await published.request('$JS.API.STREAM.MSG.GET.KV_RT_demo', request)
    expect(read.json()).toMatchObject({ message: { seq: expect.any(Number) } })
  })
})

describe('accounts come and go', () => {
  test('with their versions: who stays goes on, and who goes is cut off', async () => {
    const requests = await heard(a, ingressSubject(WF), 'a')
    const { length: before } = requests
    const leaving = await nats.connect(nodeWorkload('demo', 'v2', 'a'))
    const closed = new Promise((resolve) => {
      void (async () => {
        for await (const { type } of leaving.status()) if (type === 'disconnect') resolve(type)
      })()
    })
    await nats.manager.converge('demo', [
      sampleVersion('v1'),
      sampleVersion('v2', { wanted: false, isDraining: true }),
    ])
    expect(leaving.isClosed()).toBe(false)
    await nats.manager.converge('demo', [
      sampleVersion('v1'),
      sampleVersion('v2', { wanted: false }),
    ])
    await closed
    published.publish(ingressSubject(WF), 'still there')
    await waitUntil('the request', () => requests.length === before + 1)
    await nats.manager.converge('demo', [sampleVersion('v1'), sampleVersion('v2')])
    const again = await nats.connect(nodeWorkload('demo', 'v2', 'a'))
    await again.flush()
    requests.stop()
  })

  test('no request is lost, and none comes twice, while other versions come and go', async () => {
    const requests = await heard(a, ingressSubject(WF), 'a')
    const replies = await heard(published, `${replySubject('demo', 'e9', '')}*`)
    const { length: before } = requests
    let sent = 0
    const timer = setInterval(() => {
      for (let burst = 0; burst < 10; burst++)
        published.publish(ingressSubject(WF), String(sent++), {
          reply: replySubject('demo', 'e9', String(sent)),
        })
    }, 1)
    for (let round = 0; round < 5; round++) {
      await nats.manager.converge('demo', [sampleVersion('v1')])
      await nats.manager.converge('demo', [sampleVersion('v1'), sampleVersion('v2')])
    }
    clearInterval(timer)
    await published.flush()
    await waitUntil('all of them', () => requests.length - before >= sent)
    expect(requests.length - before).toBe(sent)
    expect(texts(replies)).toEqual([])
    requests.stop()
  })

  test('are there again after a restart of the server, and with another engine', async () => {
    const requests = await heard(a, ingressSubject(WF), 'a')
    process.kill((await nats.server.pid()) ?? 0, 'SIGKILL')
    await waitUntil('a request', async () => {
      published.publish(ingressSubject(WF), 'hello again')
      await published.flush().catch(() => undefined) // not there yet
      return requests.length > 0
    })
    const { openServerAccounts } = await import('../server/open-server-accounts.ts')
    await using accounts = await openServerAccounts(nats.server, 60_000)
    const node = await nats.connect(await accounts.access(nodeWorkload('demo', 'v1', 'a')))
    await node.flush()
  })
})

describe('credentials of a process', () => {
  test.each([-1, 1])(
    'are good when the clock of the engine is %i days off that of nats-server',
    async (days) => {
      const unixMs = Date.now() + days * DAY_MS
      const clock = jest.spyOn(Date, 'now').mockReturnValue(unixMs)
      try {
        const access = await nats.accounts.access(nodeWorkload('demo', 'v1', 'a'))
        expect(access.credentials?.expiresUnixMs).toBe(unixMs + CREDENTIALS_MS)
        const node = await nats.connect(access)
        await node.flush()
        expect(expiryOf(access)).toBeLessThan(unixMs - days * DAY_MS + CREDENTIALS_MS + DAY_MS / 2)
      } finally {
        clock.mockRestore()
      }
    },
  )
})

/** When the server refuses it, in Unix ms. */
function expiryOf({ credentials }: NatsAccess): number {
  const [, claims = ''] = credentials?.jwt.split('.') ?? []
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number }).exp * 1_000
}
