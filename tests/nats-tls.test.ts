/** A whole engine on a NATS that somebody else runs and that wants TLS: a version answers, and authorities change. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { NatsRenewal } from '@kre/contracts'
import { makeCluster, type TestCluster } from '@kre/nats-manager/testing'
import { waitUntil } from '@kre/service-kit'
import { makeAuthority } from '@kre/service-kit/testing'
import { connectForeign, type ForeignClient } from './support/grpc-client.ts'
import { isAlive } from './support/kre.ts'
import { packChain } from './support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from './support/ledger-engine.ts'
import { listProcesses } from './support/ledger-leftovers.ts'

const before = makeAuthority('before')
const after = makeAuthority('after')
const own = before.issue('engine')

let dir: string
let cluster: TestCluster
let engine: TestEngine
let client: ForeignClient
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-nats-tls-'))
  cluster = await makeCluster(1, 79, { tlsDir: dir })
  await certify(before)
  await cluster.start(cluster.hosts[0] ?? '')
  const files = { 'authorities.pem': before.ca, 'engine.pem': own.cert, 'engine.key': own.key }
  for (const [name, text] of Object.entries(files))
    await writeFile(join(dir, name), text, { mode: 0o600 })
  await writeFile(join(dir, 'keys.json'), JSON.stringify(cluster.keys), { mode: 0o600 })
  engine = await startTestEngine({
    KRE_NATS_URL: `tls://${cluster.servers[0]}`,
    KRE_NATS_KEYS_FILE: join(dir, 'keys.json'),
    KRE_NATS_TLS_CA_FILE: join(dir, 'authorities.pem'),
    KRE_NATS_TLS_CERT_FILE: join(dir, 'engine.pem'),
    KRE_NATS_TLS_KEY_FILE: join(dir, 'engine.key'),
  })
  await engine.createRuntime('shop')
  expect((await engine.upload('shop', await packChain('v1'))).status).toBe(201)
  await engine.operate('start', 'shop', 'v1')
  const { entrypointAddress } = await engine.reach('shop', 'v1', 'STARTED', 60_000)
  client = await connectForeign(entrypointAddress, 'faults.Entrypoint', 'Run')
})
afterAll(async () => {
  client?.[Symbol.dispose]()
  await engine?.[Symbol.asyncDispose]()
  await cluster?.[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

/** Gives the server a certificate, as whoever runs it does. */
async function certify(authority: typeof before): Promise<void> {
  const { cert, key } = authority.issue('nats', { names: cluster.hosts })
  const files = { 'ca.crt': authority.ca, 'tls.crt': cert, 'tls.key': key }
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
}

async function answer(): Promise<unknown> {
  return client.call({ id: '1', command: '', trail: '' })
}

/** Texts of all files that processes of versions were given. */
async function filesOfProcesses(): Promise<Map<string, string>> {
  const run = join(engine.dataDir, 'run')
  const names = await readdir(run, { recursive: true })
  const texts = names
    .filter((name) => name.endsWith('.json'))
    .map(async (name) => [name, await readFile(join(run, name), 'utf8').catch(() => '')] as const)
  return new Map(await Promise.all(texts))
}

test('carries requests over connections that all speak TLS, and the status says so', async () => {
  expect(await answer()).toMatchObject({ trail: 'abc' })
  const { connections } = (await cluster.monitor(cluster.hosts[0] ?? '', 'connz')) as {
    connections: { name: string; tls_version?: string }[]
  }
  const names = connections.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['kre-engine', 'kre-accounts']))
  expect(names.filter((name) => /^node |^entrypoint/.test(name)).length).toBeGreaterThanOrEqual(4)
  expect(connections.filter(({ tls_version }) => tls_version !== '1.3')).toEqual([])
  const { addresses } = await engine.status()
  expect(addresses).toContainEqual(
    expect.objectContaining({ name: 'nats-server', address: `tls://${cluster.servers[0]}` }),
  )
  const metrics = await fetch(new URL('/metrics', engine.url()), {
    headers: { authorization: `Bearer ${engine.token()}` },
  })
  const end = /^kre_nats_certificate_end_time_seconds (\S+)$/m.exec(await metrics.text())?.[1]
  expect(Number(end) * 1_000).toBeGreaterThan(Date.now())
})

test("gives processes the authority, and never the engine's key", async () => {
  const files = [...(await filesOfProcesses()).values()].join('\n')
  expect(files).toContain(JSON.stringify(before.ca).slice(1, -1))
  const [, line = ''] = own.key.split('\n')
  expect(files).not.toContain(line)
  const [, shown = ''] = own.cert.split('\n')
  expect(files).not.toContain(shown)
})

test('goes on when the server gets a certificate of another authority, once both are trusted', async () => {
  await writeFile(join(dir, 'authorities.pem'), before.ca + after.ca)
  await waitUntil('all processes have it', async () => {
    const files = [...(await filesOfProcesses())].filter(([name]) => name.endsWith('/nats.json'))
    const known = files.map(([, text]) => (JSON.parse(text) as NatsRenewal).tls?.ca ?? '')
    return known.length >= 4 && known.every((ca) => ca === before.ca + after.ca)
  })
  const [host = ''] = cluster.hosts
  await cluster.stop(host)
  await certify(after)
  await cluster.start(host)
  const found = await waitUntil('an answer', async () => answer().catch(() => null))
  expect(found).toMatchObject({ trail: 'abc' })
  expect((await engine.version('shop', 'v1')).status).toBe('STARTED')
})

test('leaves nothing behind when it is killed and then stopped', async () => {
  const left = await listProcesses(engine.dataDir)
  expect(left.length).toBeGreaterThan(0)
  await engine[Symbol.asyncDispose]()
  expect(left.filter(isAlive)).toEqual([])
})
