/** Processes go over to newer credentials while requests pass through them. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ingressSubject,
  type NatsAccess,
  type NatsCredentials,
  replySubject,
  type Workload,
} from '@kre/contracts'
import { type CoreConnection, openCoreConnection } from '@kre/core-nats'
import { openServerAccounts, type ServerAccounts } from '@kre/nats-manager'
import {
  entrypointWorkload,
  type IsolatedNats,
  nodeWorkload,
  startIsolatedNats,
} from '@kre/nats-manager/testing'
import { waitUntil } from '@kre/service-kit'
import { connectRaw, withSeed } from './raw-nats.ts'

/** How long credentials are good that are to run out. */
const LIFE_MS = 2_000
/** The others are good for the whole test, and are said to be good for so long, which is what renewals go by. */
const PACE_MS = 2_000
const INGRESS = ingressSubject({ runtimeId: 'demo', version: 'v1', workflow: 'wf' })
const REPLIES = replySubject('demo', 'e1', '')

let nats: IsolatedNats
let brief: ServerAccounts
let dir: string
beforeAll(async () => {
  nats = await startIsolatedNats()
  brief = await openServerAccounts(nats.server, LIFE_MS)
  dir = await mkdtemp(join(tmpdir(), 'kre-renewal-'))
})
afterAll(async () => {
  await brief[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

/** A process of the workload whose credentials are renewed as a target does it, and what it told. */
async function open(workload: Workload) {
  const path = join(dir, `${workload.id}.json`)
  const next = async (): Promise<{ access: NatsAccess; credentials: NatsCredentials }> => {
    const access = await nats.accounts.access(workload)
    if (access.credentials === undefined) throw new Error(`${workload.id} has no credentials`)
    const expiresUnixMs = Date.now() + PACE_MS
    return { access, credentials: { ...access.credentials, expiresUnixMs, renewalPath: path } }
  }
  const { access, credentials } = await next()
  let busy = false
  const timer = setInterval(async () => {
    if (busy) return
    busy = true
    await writeFile(`${path}.new`, JSON.stringify((await next()).credentials))
    await rename(`${path}.new`, path)
    busy = false
  }, PACE_MS * 0.4)
  const connection = openCoreConnection({ ...access, credentials }, workload.id)
  const told = { renewed: 0, down: 0, errors: [] as string[] }
  connection.listen({
    onRenewed: () => void told.renewed++,
    onDown: () => void told.down++,
    onError: (error) => void told.errors.push(error.message),
  })
  await connection.whenUp(10_000)
  const close = () => {
    clearInterval(timer)
    connection.close()
  }
  return { connection, told, close }
}

function count(connection: CoreConnection, subject: string, queue: string): number[] {
  const seen: number[] = []
  connection.subscribe(subject, {
    queue,
    onMessage: ({ data }) => void seen.push(Number(Buffer.from(data).toString())),
  })
  return seen
}

test('without a lost request, without one that overtakes, and without a moment of being down', async () => {
  const node = await open(nodeWorkload('demo', 'v1', 'a'))
  const entrypoint = await open(entrypointWorkload('demo', null))
  const requests: number[] = []
  node.connection.subscribe(INGRESS, {
    queue: 'a',
    onMessage({ data }) {
      const text = Buffer.from(data).toString()
      requests.push(Number(text))
      node.connection.publish(REPLIES + text, Buffer.from(text))
    },
  })
  const answers = count(entrypoint.connection, `${REPLIES}*`, '')
  await Promise.all([node.connection.flush(), entrypoint.connection.flush()])
  /** What is lost does not come later. */
  const check = (): true => {
    expect([node.told.down, entrypoint.told.down]).toEqual([0, 0])
    expect([...node.told.errors, ...entrypoint.told.errors]).toEqual([])
    return true
  }
  let sent = 0
  const timer = setInterval(() => {
    for (let burst = 0; burst < 20; burst++) {
      const text = String(sent++)
      entrypoint.connection.publish(INGRESS, Buffer.from(text), REPLIES + text)
    }
  }, 1)
  await waitUntil(
    'five renewals of each',
    () => check() && Math.min(node.told.renewed, entrypoint.told.renewed) >= 5,
  )
  clearInterval(timer)
  await waitUntil('all answers', () => check() && new Set(answers).size === sent)
  // To a queue each came once; in that moment the process is two of the queue, which have no order among each other.
  expect(requests.toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: sent }, (_, index) => index),
  )
  // Answers have no queue: one may come twice while both connections are there, and none before an earlier one.
  const first = [...new Set(answers)]
  expect(first).toEqual(requests)
  check()
  node.close()
  entrypoint.close()
})

test('whose life is over lets nobody in and ends what is connected', async () => {
  const { credentials } = await brief.access(nodeWorkload('demo', 'v1', 'b'))
  if (credentials === undefined) throw new Error('the node has no credentials')
  const proof = withSeed(credentials.jwt, credentials.seed)
  await using client = await connectRaw(`127.0.0.1:${nats.server.port}`, proof)
  await waitUntil('its end', () => client.isClosed, { timeoutMs: LIFE_MS + 3_000 })
  expect(client.errors.join()).toContain('Expired')
  await using again = await connectRaw(`127.0.0.1:${nats.server.port}`, proof)
  expect(await again.flush()).toBe(false)
})

test('that come late are waited for', async () => {
  const workload = nodeWorkload('demo', 'v1', 'b')
  const access = await brief.access(workload)
  const path = join(dir, 'late.json')
  if (access.credentials === undefined) throw new Error('the node has no credentials')
  const credentials = { ...access.credentials, renewalPath: path }
  const connection = openCoreConnection({ ...access, credentials }, 'late')
  let isLost = false
  connection.listen({ onLost: () => (isLost = true), onError: () => undefined })
  await connection.whenUp(10_000)
  await waitUntil('the end of its life', () => !connection.isUp(), { timeoutMs: LIFE_MS + 3_000 })
  const { credentials: next } = await brief.access(workload)
  await writeFile(path, JSON.stringify(next))
  await connection.whenUp(10_000)
  expect(isLost).toBe(false)
  connection.close()
})
