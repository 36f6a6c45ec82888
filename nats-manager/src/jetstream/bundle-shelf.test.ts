/** Bundles in a real nats-server with accounts: who may read which. */
import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  BUNDLE_PART_BYTES,
  bundlePart,
  readBundleContents,
  type Workload,
  writeStrippedCode,
} from '@kre/contracts'
import type { NatsConnection } from '@nats-io/transport-node'
import {
  nodeWorkload,
  sampleVersion,
  startIsolatedNats,
  type IsolatedNats,
} from '../testing/index.ts'
import { openBundleShelf, type BundleShelf } from './bundle-shelf.ts'

const ARCHIVES = [randomBytes(2 * BUNDLE_PART_BYTES + 7), Buffer.from('another archive')]
const DIGESTS = ARCHIVES.map((archive) => createHash('sha256').update(archive).digest('hex'))
const [DIGEST = '', OTHER = ''] = DIGESTS
const DESCRIPTORS = randomBytes(BUNDLE_PART_BYTES + 1)
const CODE = writeStrippedCode(new Map([['src/etl.ts', 'code()']]))

let nats: IsolatedNats
let shelf: BundleShelf
let nowMs = 0
let reads = 0
beforeAll(async () => {
  nats = await startIsolatedNats()
  for (const [index, archive] of ARCHIVES.entries())
    await writeFile(join(nats.dir, DIGESTS[index] ?? ''), archive)
  shelf = openBundleShelf(
    nats.engine,
    {
      async archive(digest) {
        reads++
        return join(nats.dir, digest.replace('sha256:', ''))
      },
      descriptorSet: async () => DESCRIPTORS,
      strippedCode: async () => CODE,
    },
    { replicas: 1, now: () => nowMs },
  )
  await nats.manager.converge('demo', [
    sampleVersion('v1', { bundleDigest: `sha256:${DIGEST}` }),
    sampleVersion('v2', { bundleDigest: OTHER }),
  ])
})
afterAll(async () => nats[Symbol.asyncDispose]())

function nodeWith(bundleDigest: string, version = 'v1'): Workload {
  const workload = nodeWorkload('demo', version, 'a')
  return { ...workload, spec: { ...workload.spec, bundleDigest } as Workload['spec'] }
}

async function read(connection: NatsConnection, digest: string, part: number | string) {
  const subject = `$JS.API.DIRECT.GET.KRE_BUNDLES.${bundlePart(digest, part)}`
  const { data, headers } = await connection.request(subject, '', { timeout: 2_000 })
  return headers?.code === 404 ? null : data
}

describe('bundles for pods', () => {
  test('can be read by the nodes of their version, part by part', async () => {
    await shelf.provide(`sha256:${DIGEST}`)
    const node = await nats.connect(nodeWith(DIGEST))
    const contents = await read(node, DIGEST, 'contents')
    expect(readBundleContents(contents ?? new Uint8Array())).toEqual({
      archiveParts: 3,
      descriptorParts: 2,
      codeParts: 1,
    })
    const parts = await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (part) => read(node, DIGEST, part)),
    )
    const all = Buffer.concat(parts.map((part) => part ?? Buffer.alloc(0)))
    expect(all.equals(Buffer.concat([ARCHIVES[0] ?? Buffer.alloc(0), DESCRIPTORS, CODE]))).toBe(
      true,
    )
    expect(await read(node, DIGEST, 6)).toBeNull()
  })

  test('can be read by nobody else, and written by no node', async () => {
    await shelf.provide(OTHER)
    const node = await nats.connect(nodeWith(DIGEST))
    await expect(read(node, OTHER, 0)).rejects.toThrow()
    // Credentials that lie about the bundle do not pass the account of the version.
    const liar = await nats.connect(nodeWith(OTHER))
    await expect(read(liar, OTHER, 0)).rejects.toThrow()
    node.publish(bundlePart(DIGEST, 0), 'mine')
    await node.flush().catch(() => undefined)
    const first = await read(nats.engine, DIGEST, 0)
    expect(Buffer.from(first ?? []).subarray(0, 8)).toEqual(ARCHIVES[0]?.subarray(0, 8))
  })

  test('are put there once, however many ask, and again when somebody has emptied the server', async () => {
    const before = reads
    await Promise.all([1, 2, 3].map(async () => shelf.provide(OTHER)))
    nowMs += 61_000
    await shelf.provide(OTHER)
    expect(reads).toBe(before)
    const purge = { filter: bundlePart(OTHER, '*') }
    await nats.engine.request('$JS.API.STREAM.PURGE.KRE_BUNDLES', JSON.stringify(purge))
    nowMs += 61_000
    await Promise.all([1, 2, 3].map(async () => shelf.provide(OTHER)))
    expect(reads).toBe(before + 1)
    expect(await read(nats.engine, OTHER, 'contents')).not.toBeNull()
  })

  test('are put there anew when an engine has left them with their types', async () => {
    const before = reads
    const contents = { archiveParts: 1, descriptorParts: 2 }
    await nats.engine.request(bundlePart(OTHER, 'contents'), JSON.stringify(contents))
    nowMs += 61_000
    await shelf.provide(OTHER)
    expect(reads).toBe(before + 1)
    const found = await read(nats.engine, OTHER, 'contents')
    expect(readBundleContents(found ?? new Uint8Array())).toEqual({ ...contents, codeParts: 1 })
  })

  test('go when no version runs them, but not within the hour in which one was wanted', async () => {
    await shelf.keepOnly([])
    expect(await read(nats.engine, OTHER, 'contents')).not.toBeNull()
    nowMs += 3_600_001
    await shelf.keepOnly([`sha256:${DIGEST}`])
    expect(await read(nats.engine, OTHER, 'contents')).toBeNull()
    expect(await read(nats.engine, OTHER, 0)).toBeNull()
    expect(await read(nats.engine, DIGEST, 'contents')).not.toBeNull()
    await shelf.provide(OTHER)
    expect(await read(nats.engine, OTHER, 'contents')).not.toBeNull()
  })
})
