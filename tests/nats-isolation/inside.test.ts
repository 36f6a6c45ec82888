/** The whole engine: what a node reaches from the inside, and requests while all credentials are renewed. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { join } from 'node:path'
import { waitUntil } from '@kre/service-kit'
import { connectForeign, type ForeignClient } from '../support/grpc-client.ts'
import { createKre, type Kre, pidsOf, type Status } from '../support/kre.ts'
import { writeSpyBundle } from './spy-bundle.ts'

/** The shortest life of credentials that the engine takes. */
const LIFE_MS = 10_000

let kre: Kre
let client: ForeignClient
let port: number
beforeAll(async () => {
  kre = await createKre({ KRE_NATS_CREDENTIALS_MS: String(LIFE_MS) })
  await kre.json('dev', '--detach', '--no-example')
  await kre.json('runtime', 'create', 'mine')
  for (const version of ['spy', 'victim']) {
    const bundle = join(kre.dataDir, '..', version)
    await writeSpyBundle(bundle, version)
    const types = await kre.run('krt', 'types', bundle)
    if (types.code !== 0) throw new Error(types.stderr)
    await kre.json('version', 'create', '-r', 'mine', bundle)
    await kre.json('version', 'start', '-r', 'mine', version)
  }
  const status = await kre.json<Status>('status')
  const address = status.addresses.find(({ version }) => version === 'spy')?.address ?? ''
  client = await connectForeign(address, 'spy.Entrypoint', 'Act')
  const server = status.addresses.find(({ name }) => name === 'nats-server')
  port = Number(server?.address.split(':')[1])
})
afterAll(async () => {
  client?.[Symbol.dispose]()
  await kre?.[Symbol.asyncDispose]()
})

async function act(verb: string, target: string, subjects: string[] = []): Promise<string> {
  const answer = (await client.call({ verb, target, subjects })) as { text: string }
  return answer.text
}

const victim = 'x.mine.victim'
/** Subjects of another version of the runtime, of others of its own, and of the engine. */
const FOREIGN = [
  `${victim}.act.i`,
  `${victim}.act.n.first`,
  `${victim}.act.s.first`,
  `${victim}._c.announce`,
  `${victim}._c.gone`,
  `${victim}.act.o.log`,
  'x.mine.spy.act.n.first.channel',
  'x.mine.spy._c.gone',
  'x.mine.spy.act.i',
  '_INBOX.mine.victim.act.first.p.1',
  '_INBOX.mine._e.p.1',
  'c.mine.e.t.victim.k.0',
  '$KV.RT_mine.routing',
  '$KV.KV_mine_victim_act.k',
  '$JS.API.STREAM.LIST',
  '$JS.API.STREAM.PURGE.OUT_mine_spy',
  '$JS.API.CONSUMER.CREATE.OUT_mine_spy',
  '$SYS.REQ.CLAIMS.LIST',
  '$SYS.REQ.USER.INFO',
  'kre.engine.events',
  'kre.data.other.find',
  '>',
  '*',
  'x.>',
  '$JS.API.>',
  '_R.>',
  '_INBOX.>',
]

test('a node has its own credentials, and reaches nothing of others with them', async () => {
  await waitUntil('its credentials', async () => (await act('find', kre.dataDir)) !== '0')
  const target = JSON.stringify({ dataDir: kre.dataDir, port })
  const taken = JSON.parse(await act('attack', target, FOREIGN)) as Record<string, string[]>
  expect(taken).toEqual({ publish: [], subscribe: [] })
  process.stdout.write(`${2 * FOREIGN.length} attempts from inside of a node: all refused\n`)
})

test('a node has its services: documents, values, objects, and payloads too large for a message', async () => {
  expect(JSON.parse(await act('services', 'x'))).toEqual({
    found: 1,
    values: ['xnode', 'xworkflow', 'xproject'],
    same: true,
    listed: ['o'],
    left: [],
  })
  const large = 'y'.repeat(3_000_000)
  expect((await act('echo', large)) === large).toBe(true)
})

test('no request fails while every process renews its credentials twice', async () => {
  const before = await pidsOf(kre)
  const end = performance.now() + 2.5 * LIFE_MS
  let answered = 0
  while (performance.now() < end) {
    const texts = Array.from({ length: 8 }, (_, index) => `${answered} ${index}`)
    expect(await Promise.all(texts.map((text) => act('echo', text)))).toEqual(texts)
    answered += texts.length
  }
  expect(await pidsOf(kre)).toEqual(before)
  process.stdout.write(`${answered} requests over two renewals\n`)
})
