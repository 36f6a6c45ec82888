import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Claim, claimKey, claimStream, KiB, KreError, MiB, replySubject } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type CoreConnection, openCoreConnection } from '../core-connection.ts'
import { countClaimChunks, createClaimBucket } from '../testing/index.ts'
import { createClaimStore, inlineBytesMax } from './claim-store.ts'

const V1 = { runtimeId: 'rt', version: 'v1' }
const SMALL = { runtimeId: 'small', version: 'v1' }
const EXPIRY = Date.now() + 60_000
let nats: TestNats
let connection: CoreConnection
beforeAll(async () => {
  nats = await startNats()
  connection = openCoreConnection(nats.access, 'claims')
  await connection.whenUp()
  await createClaimBucket(connection, V1)
  await createClaimBucket(connection, SMALL, 1_500_000)
})
afterAll(async () => {
  connection.close()
  await nats[Symbol.asyncDispose]()
})

/** A request of version v1. @param scope entrypoint and token of its reply subject. */
const request = (scope: string) => ({ version: 'v1', replyTo: `_R.rt.${scope}` })
const storeOf = (runtimeId: string) =>
  createClaimStore(runtimeId, {
    publish: (subject, data, reply) => connection.publish(subject, data, reply),
    subscribe: (subject, onMessage) => void connection.subscribe(subject, { onMessage }),
    maxPayload: () => connection.maxPayload(),
  })
const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  return error instanceof KreError ? error.code : error
}

describe('a claim store', () => {
  test.each([0, 1, 512 * KiB - 1, 512 * KiB, 512 * KiB + 1, 5 * MiB + 3])(
    'gives back %d bytes as they were',
    async (size) => {
      const store = storeOf('rt')
      const value = randomBytes(size)
      const claim = await store.write(value, request('e1.t1'), EXPIRY)
      expect(claim).toMatchObject({ bucket: 'CLAIMS_rt_v1', size, chunkBytes: 512 * KiB })
      expect(Buffer.from(await store.read(claim, 6 * MiB)).equals(value)).toBe(true)
    },
  )

  test('keeps payloads apart, and removes those of one request only', async () => {
    const [one, two] = [storeOf('rt'), storeOf('rt')]
    const claims = await Promise.all([
      one.write(Buffer.from('a'), request('e2.t1'), EXPIRY),
      one.write(Buffer.from('b'), request('e2.t1'), EXPIRY),
      two.write(Buffer.from('c'), request('e2.t1'), EXPIRY),
      two.write(Buffer.from('d'), request('e2.t10'), EXPIRY),
    ])
    const texts = await Promise.all(claims.map((claim) => two.read(claim, 10)))
    expect(texts.map(String)).toEqual(['a', 'b', 'c', 'd'])
    const before = await countClaimChunks(connection, V1)
    one.remove(request('e2.t1'))
    await waitUntil(
      'three are gone',
      async () => (await countClaimChunks(connection, V1)) === before - 3,
    )
    expect(String(await one.read(claims[3] as Claim, 10))).toBe('d')
    expect(await codeOf(one.read(claims[0] as Claim, 10))).toBe('aborted')
  })

  test('says of a payload that is gone or damaged what happened', async () => {
    const store = storeOf('rt')
    const value = randomBytes(2 * MiB)
    const claim = await store.write(value, request('e3.t1'), EXPIRY)
    await expect(store.read({ ...claim, sha256: '00' }, 3 * MiB)).rejects.toThrow(
      'its digest differs',
    )
    await expect(store.read({ ...claim, size: claim.size - 1 }, 3 * MiB)).rejects.toThrow('is gone')
    await expect(
      store.read({ ...claim, key: `${claim.key}x`, expiresUnixMs: 1 }, 3 * MiB),
    ).rejects.toThrow('its request is over since long')
  })

  test('refuses claims above the limit before anything is fetched, and foreign ones', async () => {
    const store = storeOf('rt')
    const claim = await store.write(Buffer.from('x'), request('e4.t1'), EXPIRY)
    expect(await codeOf(store.read({ ...claim, size: 1e15 }, 1_000))).toBe('resource-exhausted')
    for (const foreign of [
      { bucket: claimStream({ runtimeId: 'other', version: 'v1' }) },
      { bucket: claimStream({ runtimeId: 'rt', version: 'v2' }) },
      { key: 'c.other.e4.t1.v1.x' },
      { key: claim.key.replace('.v1.', '.v2.') },
      { key: 'c.rt.e4' },
      { key: `${claim.key}.>` },
      { key: `${claim.key} x` },
      { chunkBytes: 0 },
      { chunkBytes: 1e12 },
    ])
      expect(await codeOf(store.read({ ...claim, ...foreign }, 1_000))).toBe('invalid-argument')
  })

  test('refuses a payload that the bucket has no room for, and leaves nothing of it', async () => {
    const store = storeOf('small')
    expect(await codeOf(store.write(randomBytes(3 * MiB), request('e1.t1'), EXPIRY))).toBe(
      'resource-exhausted',
    )
    await waitUntil(
      'nothing is left',
      async () => (await countClaimChunks(connection, SMALL)) === 0,
    )
    await store.write(randomBytes(MiB), request('e1.t2'), EXPIRY)
  })

  test('says at once that there is no bucket', async () => {
    await expect(storeOf('none').write(Buffer.from('x'), request('e1.t1'), EXPIRY)).rejects.toThrow(
      'it has no such bucket',
    )
  })

  test('holds no more than a window of chunks under way', async () => {
    let underWay = 0
    let most = 0
    const store = createClaimStore('rt', {
      publish(subject, data, reply) {
        if (subject.startsWith('c.')) most = Math.max(most, ++underWay)
        connection.publish(subject, data, reply)
      },
      subscribe: (subject, onMessage) =>
        void connection.subscribe(subject, {
          onMessage(message) {
            underWay--
            onMessage(message)
          },
        }),
      maxPayload: () => connection.maxPayload(),
    })
    await store.write(randomBytes(10 * MiB), request('e5.t1'), EXPIRY)
    expect(most).toBe(8)
  })
})

test('payloads up to 2 MiB travel inline, less where the server takes less', () => {
  expect(inlineBytesMax(8 * MiB)).toBe(2 * MiB)
  expect(inlineBytesMax(1 * MiB)).toBe(MiB - 32 * KiB)
  expect(inlineBytesMax(1_000)).toBe(0)
})

test('the key of a request is the same for all of its sendings, and another for each request', () => {
  const replyTo = replySubject('rt', 'e1', 'a1')
  expect(claimKey(V1, replyTo)).toBe('c.rt.e1.a1.v1')
  expect(claimKey(V1, `${replyTo}_2`)).toBe('c.rt.e1.a1.v1')
  expect(claimKey(V1, replySubject('rt', 'e1', 'a2'))).toBe('c.rt.e1.a2.v1')
  expect(claimKey(V1, '_INBOX.x')).toBe('c.rt.none.none.v1')
})
