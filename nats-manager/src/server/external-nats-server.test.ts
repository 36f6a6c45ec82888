/** A nats-server that is not the engine's own: here one of a test, which engines reach by its address alone. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { connectNats } from '@kre/service-kit'
import { bucketPage } from '../accounts/book-pages.ts'
import { openAccountBook } from '../accounts/account-book.ts'
import { createKeyPair } from '../keys/nkey.ts'
import {
  nodeWorkload,
  sampleVersion,
  startIsolatedNats,
  type IsolatedNats,
} from '../testing/index.ts'
import { type ExternalNatsServer, externalNatsServer } from './external-nats-server.ts'
import { createServerKeys, readServerKeys } from './server-keys.ts'

let nats: IsolatedNats
let server: ExternalNatsServer
beforeAll(async () => {
  nats = await startIsolatedNats()
  server = externalNatsServer({
    keys: nats.server.keys,
    servers: [`127.0.0.1:${nats.server.port}`],
    replicas: 1,
    tls: null,
    reloading: null,
  })
})
afterAll(async () => nats[Symbol.asyncDispose]())

describe('accounts on a server that others run', () => {
  test('are made, found by the next engine, and leave those of others alone', async () => {
    // Those of the file are unknown to an engine that has no folder.
    const others = await nats.connect(nodeWorkload('demo', 'v1', 'a'))
    {
      await using first = await server.openAccounts(nats.engine, 3_600_000)
      await first.converge('cluster', [sampleVersion('v1')])
      const access = await first.access(nodeWorkload('cluster', 'v1', 'a'))
      const node = await nats.connect(access)
      await node.flush()
    }
    const engine = await connectNats(() => server.engineAccess(), 'next')
    try {
      await using next = await server.openAccounts(engine, 3_600_000)
      const access = await next.access(nodeWorkload('cluster', 'v1', 'a'))
      const node = await nats.connect(access)
      await node.flush()
      expect(others.isClosed()).toBe(false)
      await others.flush()
    } finally {
      await engine.close()
    }
  })

  test('are on record for who has the keys, and for nobody else', async () => {
    const { value } = (await nats.engine
      .request('$JS.API.DIRECT.GET.KV_KRE_ACCOUNTS.$KV.KRE_ACCOUNTS.book', '', { timeout: 2_000 })
      .then(({ data }) => ({ value: Buffer.from(data).toString('latin1') }))) as { value: string }
    expect(value.length).toBeGreaterThan(100)
    expect(value).not.toMatch(/runtimes|SA[A-Z2-7]{20}/)
    const other = openAccountBook(bucketPage(nats.engine, createKeyPair('operator').seed, 1))
    await expect(other.read('cluster')).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('KRE_NATS_KEYS_FILE'),
    })
  })

  test('are not written over by an engine that has read before another one has written', async () => {
    const page = bucketPage(nats.engine, nats.server.keys.operator, 1)
    const { text = '', revision = null } = (await page.read()) ?? {}
    const late = page.write(text, revision)
    const slow = page.write(text, revision)
    const outcomes = await Promise.allSettled([late, slow])
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  })

  test('are no secret of a node: it can not read the book', async () => {
    const node = await nats.connect(nodeWorkload('demo', 'v1', 'a'))
    const read = node.request('$JS.API.DIRECT.GET.KV_KRE_ACCOUNTS.$KV.KRE_ACCOUNTS.book', '', {
      timeout: 1_000,
    })
    await expect(read).rejects.toThrow()
  })
})

describe('the keys of such a server', () => {
  test('are three seeds, each of its kind', () => {
    const keys = createServerKeys()
    expect(readServerKeys(JSON.stringify(keys), 'file')).toEqual(keys)
  })
  test.each([
    ['', /file holds no keys of NATS/],
    ['{}', /JSON with the seeds "operator", "system" and "engine"/],
    ['null', /holds no keys/],
  ])('%j is refused', (text, reason) => {
    expect(() => readServerKeys(text, 'file')).toThrow(reason)
  })
  test('are refused without being shown when one is of another kind', () => {
    const keys = createServerKeys()
    const mixed = JSON.stringify({ ...keys, operator: keys.engine })
    expect(() => readServerKeys(mixed, 'file')).toThrow(/no seed of a NATS operator/)
    expect(() => readServerKeys(mixed, 'file')).not.toThrow(new RegExp(keys.engine))
  })
})
