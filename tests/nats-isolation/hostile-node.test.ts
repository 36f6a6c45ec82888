/** Everything that a node can try on NATS with the credentials it has, over a socket of its own, and what comes of it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { KiB, MiB, type NatsCredentials, replySubject } from '@kre/contracts'
import {
  entrypointWorkload,
  type IsolatedNats,
  nodeWorkload,
  sampleVersion,
  startIsolatedNats,
} from '@kre/nats-manager/testing'
import { waitUntil } from '@kre/service-kit'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { FOREIGN_FILTERS, FOREIGN_SUBJECTS } from './attempts.ts'
import { connectRaw, type Proof, signWith, withSeed } from './raw-nats.ts'

type Verdict = { attempt: string; verdict: string; isRefused: boolean }
const verdicts: Verdict[] = []
/** Control messages of its own version, and the engine's heartbeat, reach each node. */
const MAY_HEAR = new Set([
  'x.demo.v1._c.ping',
  'x.demo.v1._c.cancel',
  'x.demo.v1._c.kept',
  'kre.engine.heartbeat',
])

let nats: IsolatedNats
let server: string
let stolen: NatsCredentials
/** Everybody else, with all that each of them may hear: nothing of the node must get there. */
const heard: string[] = []

beforeAll(async () => {
  nats = await startIsolatedNats()
  server = `127.0.0.1:${nats.server.port}`
  const access = await nats.accounts.access(nodeWorkload('demo', 'v1', 'b'))
  if (access.credentials === undefined) throw new Error('the node has no credentials')
  stolen = access.credentials
  listen(nats.engine, ['x.>', 'c.>', 'kre.>', '$KV.>', '$O.>', '_R.>'], 'engine')
  for (const [runtime, version] of [
    ['demo', 'v2'],
    ['other', 'v1'],
  ] as const) {
    const prefix = `x.${runtime}.${version}`
    const node = await nats.connect(nodeWorkload(runtime, version, 'a'))
    listen(
      node,
      [`${prefix}._c.ping`, `${prefix}._c.cancel`, `_INBOX.${runtime}.${version}.wf.a.>`],
      prefix,
    )
    node.subscribe(`${prefix}.wf.i`, {
      queue: 'a',
      callback: (_, { subject }) => void heard.push(subject),
    })
    const entrypoint = await nats.connect(entrypointWorkload(runtime, null))
    // Forged announcements of other versions of its runtime must not get to the entrypoint either.
    listen(entrypoint, [`x.${runtime}.*._c.announce`], `entrypoint of ${runtime}`)
    await Promise.all([node.flush(), entrypoint.flush()])
  }
  await nats.engine.flush()
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
  const width = Math.max(...verdicts.map(({ attempt }) => attempt.length))
  const lines = verdicts.map(({ attempt, verdict }) => `${attempt.padEnd(width)}  ${verdict}`)
  process.stdout.write(`\n${lines.join('\n')}\n${verdicts.length} attempts\n`)
})

function listen(connection: NatsConnection, subjects: readonly string[], who: string) {
  for (const subject of subjects)
    connection.subscribe(subject, {
      callback: (_, message) => void heard.push(`${who} heard ${message.subject}`),
    })
}

function note(attempt: string, verdict: string, isRefused: boolean): void {
  verdicts.push({ attempt, verdict, isRefused })
}

const allRefused = () => verdicts.filter(({ isRefused }) => !isRefused)
const withStolen = () => connectRaw(server, withSeed(stolen.jwt, stolen.seed))

test('it can publish to nothing that is not its own, and ask nothing', async () => {
  await using client = await withStolen()
  const inbox = '_INBOX.demo.v1.wf.b.mine'
  client.subscribe(inbox)
  for (const kind of ['publish', 'request'] as const) {
    const { length } = client.errors
    const subjects = [...FOREIGN_SUBJECTS, '>', '*', 'x.demo.v1.wf.n.*', '_R.demo.>']
    for (const subject of subjects)
      client.publish(subject, '{"published":"v1"}', kind === 'publish' ? '' : inbox)
    expect(await client.flush()).toBe(true)
    // One complaint for each, in order: what was taken has none, and moves all that follow.
    for (const [index, subject] of subjects.entries()) {
      const error = client.errors[length + index] ?? 'taken without a word'
      const isRefused = error.includes(`Permissions Violation for Publish to "${subject}"`)
      note(`${kind} ${subject}`, isRefused ? 'refused' : error, isRefused)
    }
  }
  await nats.engine.flush()
  expect(allRefused()).toEqual([])
  expect(client.messages).toEqual([])
  expect(heard).toEqual([])
})

test('it can hear nothing that is not for it', async () => {
  await using client = await withStolen()
  const subjects = FOREIGN_SUBJECTS.filter((subject) => !MAY_HEAR.has(subject))
  const filters = [...subjects.map((subject) => [subject] as const), ...FOREIGN_FILTERS]
  for (const [subject, queue = ''] of filters) client.subscribe(subject, queue)
  expect(await client.flush()).toBe(true)
  for (const [index, [subject, queue = '']] of filters.entries()) {
    const error = client.errors[index] ?? 'taken without a word'
    const isRefused = error.includes(`Permissions Violation for Subscription to "${subject}"`)
    note(
      `subscribe ${subject}${queue === '' ? '' : ` as ${queue}`}`,
      isRefused ? 'refused' : error,
      isRefused,
    )
  }
  expect(allRefused()).toEqual([])
  // Life around it goes on, and nothing of it comes here.
  for (const verb of ['announce', 'gone', 'steps', 'drain'])
    nats.engine.publish(`x.demo.v2._c.${verb}`, 'x')
  const published = await nats.connect(entrypointWorkload('demo', null))
  published.publish('x.demo.v1.wf.i', 'a request')
  await Promise.all([published.flush(), nats.engine.flush(), client.flush()])
  expect(client.messages).toEqual([])
  heard.length = 0
})

test('nobody is let in with anything but credentials of today', async () => {
  const [header = '', claims = '', signature = ''] = stolen.jwt.split('.')
  const change = (edit: (claims: Record<string, unknown>) => void): string => {
    const changed = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
      string,
      unknown
    >
    edit(changed)
    return Buffer.from(JSON.stringify(changed)).toString('base64url')
  }
  const allowAll = change((all) => (all['nats'] = { pub: {}, sub: {}, type: 'user', version: 2 }))
  const later = change((all) => (all['exp'] = 4_000_000_000))
  const other = (await nats.accounts.access(nodeWorkload('demo', 'v2', 'a'))).credentials
  const none = Buffer.from(JSON.stringify({ typ: 'JWT', alg: 'none' })).toString('base64url')
  const proofs: Readonly<Record<string, Proof>> = {
    'no credentials': () => ({}),
    'a user and a password': () => ({ user: 'runner', pass: 'runner' }),
    'the JWT without a signature of the nonce': () => ({ jwt: stolen.jwt }),
    'the JWT with a signature of another nonce': () => ({
      jwt: stolen.jwt,
      sig: signWith(stolen.seed, 'x'),
    }),
    "another version's JWT with its own key": (nonce) => ({
      jwt: other?.jwt,
      sig: signWith(stolen.seed, nonce),
    }),
    'its JWT with more permissions': withSeed(`${header}.${allowAll}.${signature}`, stolen.seed),
    'its JWT with a later end': withSeed(`${header}.${later}.${signature}`, stolen.seed),
    'a JWT without an algorithm': withSeed(`${none}.${allowAll}.`, stolen.seed),
    'a JWT signed by its own key': (nonce) => {
      const signed = `${header}.${allowAll}`
      return {
        jwt: `${signed}.${signWith(stolen.seed, signed)}`,
        sig: signWith(stolen.seed, nonce),
      }
    },
    'an nkey alone': (nonce) => ({
      nkey: JSON.parse(Buffer.from(claims, 'base64url').toString()).sub,
      sig: signWith(stolen.seed, nonce),
    }),
  }
  for (const [attempt, proof] of Object.entries(proofs)) {
    await using client = await connectRaw(server, proof)
    const wasLetIn = await client.flush()
    note(
      `connect with ${attempt}`,
      wasLetIn ? 'let in' : (client.errors[0] ?? 'cut off'),
      !wasLetIn,
    )
  }
  expect(allRefused()).toEqual([])
})

test('an answer to a request of others reaches an inbox at most, where its id decides', async () => {
  // A reply subject of its runtime is all that it may know of others: the entrypoint drops answers without the id.
  await using client = await withStolen()
  client.publish(replySubject('demo', 'e1', 't1'), 'forged')
  expect(await client.flush()).toBe(true)
  expect(client.errors).toEqual([])
})

test('it fills what is its version’s alone: that refuses, keeps what it has, and others go on', async () => {
  const manager = await jetstreamManager(nats.engine)
  const streams = ['OUT_demo_v1', 'CLAIMS_demo_v1']
  // 1 GiB would take seconds.
  for (const stream of streams) await manager.streams.update(stream, { max_bytes: MiB })
  await using client = await withStolen()
  const inbox = '_INBOX.demo.v1.wf.b.fill'
  client.subscribe(inbox)
  const flood = 'x'.repeat(64 * KiB)
  const attempts = 32
  for (let index = 0; index < attempts; index++) {
    client.publish('x.demo.v1.wf.o.log', flood, inbox)
    client.publish(`c.demo.e1.t1.v1.k.${index}`, flood, inbox)
  }
  await waitUntil('all answers', () => client.messages.length === 2 * attempts)
  const answers = client.messages.map(({ text }) => JSON.parse(text) as StreamAnswer)
  const refused = answers.filter(({ error }) => error !== undefined)
  const taken = answers.filter(({ error }) => error === undefined)
  expect(new Set(refused.map(({ error }) => error?.description))).toEqual(
    new Set(['maximum bytes exceeded']),
  )
  for (const stream of streams) {
    const { state } = await manager.streams.info(stream)
    expect(state.bytes).toBeLessThanOrEqual(MiB)
    // All that was confirmed, from the first on, is there as it was sent.
    expect(state.messages).toBe(taken.filter((answer) => answer.stream === stream).length)
    expect(state.messages).toBeGreaterThan(8)
    const first = await manager.streams.getMessage(stream, { seq: state.first_seq })
    expect(first?.string()).toBe(flood)
    note(`fill ${stream}`, `refused after ${state.messages} of ${attempts}`, true)
  }
  const neighbour = await nats.connect(nodeWorkload('demo', 'v2', 'a'))
  const published = await nats.connect(entrypointWorkload('demo', null))
  for (const connection of [neighbour, published]) {
    const log = await connection.request('x.demo.v2.wf.o.log', '{}')
    expect(log.json()).toMatchObject({ stream: 'OUT_demo_v2' })
    const payload = await connection.request('c.demo.e1.t2.v2.k.0', 'bytes')
    expect(payload.json()).toMatchObject({ stream: 'CLAIMS_demo_v2' })
  }
  // As the writer does when it has stored something.
  await manager.streams.purge('OUT_demo_v1')
  client.publish('x.demo.v1.wf.o.log', '{}', inbox)
  await waitUntil('the answer', () => client.messages.length === 2 * attempts + 1)
  expect(JSON.parse(client.messages.at(-1)?.text ?? '')).toMatchObject({ stream: 'OUT_demo_v1' })
  heard.length = 0
})

type StreamAnswer = { stream?: string; error?: { description: string } }

test('it keeps working as what it is all the while, and is cut off when its version stops', async () => {
  await using client = await withStolen()
  client.subscribe('x.demo.v1.wf.n.a', 'b')
  await client.flush()
  const neighbour = await nats.connect(nodeWorkload('demo', 'v1', 'a'))
  neighbour.publish('x.demo.v1.wf.n.a', 'work')
  await waitUntil('its work', () => client.messages.some(({ text }) => text === 'work'))
  const survivor = await nats.connect(nodeWorkload('demo', 'v2', 'a'))
  await nats.manager.converge('demo', [sampleVersion('v1', { wanted: false }), sampleVersion('v2')])
  await waitUntil('its end', () => client.isClosed)
  await using again = await withStolen()
  const wasLetIn = await again.flush()
  note(
    'connect after the stop of its version',
    wasLetIn ? 'let in' : (again.errors[0] ?? 'cut off'),
    !wasLetIn,
  )
  expect(allRefused()).toEqual([])
  await survivor.flush()
})
