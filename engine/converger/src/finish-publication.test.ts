import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { ReleaseCause } from '@kre/contracts'
import { openSqliteStore, type Store } from '@kre/store'
import { sampleRelease, sampleRuntime, sampleVersion } from '@kre/store/testing'
import { finishPublication } from './finish-publication.ts'

let dir: string
let store: Store
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kre-publication-'))
  store = await openSqliteStore({ dataDir: dir })
  await store.runtimes.create(sampleRuntime())
  await store.versions.create(sampleVersion('v1', { publishedAt: null, publishedBy: null }))
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

const running = [{ version: 'v1', configGeneration: 0 }]
const cause = (
  operation: ReleaseCause['operation'],
  atMs: number,
  by = 'ada@kre.io',
): ReleaseCause => ({ operation, version: 'v1', by, comment: 'for a test', at: new Date(atMs) })

async function finish(): Promise<[number | null, string | null]> {
  await finishPublication(
    store,
    await store.releases.current('demo'),
    await store.versions.list('demo'),
  )
  const version = await store.versions.find('demo', 'v1')
  return [version?.publishedAt?.getTime() ?? null, version?.publishedBy ?? null]
}

describe('finishPublication', () => {
  test('says who published, when the engine died before it could', async () => {
    await store.releases.append(sampleRelease(1, { running, cause: cause('start', 1) }))
    expect(await finish()).toEqual([null, null])
    await store.releases.append(
      sampleRelease(2, { running, published: 'v1', cause: cause('publish', 2) }),
    )
    expect(await finish()).toEqual([2, 'ada@kre.io'])
  })

  test('finds it behind releases that came later', async () => {
    const releases = [cause('publish', 1), cause('start', 2, 'bob@kre.io')]
    for (const [index, said] of releases.entries())
      await store.releases.append(
        sampleRelease(index + 1, { running, published: 'v1', cause: said }),
      )
    expect(await finish()).toEqual([1, 'ada@kre.io'])
  })

  test('leaves what was written alone, and says it of a later publication', async () => {
    await store.releases.append(
      sampleRelease(1, { running, published: 'v1', cause: cause('publish', 5) }),
    )
    await store.versions.markPublished('demo', 'v1', 'ada@kre.io', new Date(7))
    expect(await finish()).toEqual([7, 'ada@kre.io'])
    await store.releases.append(
      sampleRelease(2, { running, published: null, cause: cause('unpublish', 8) }),
    )
    await store.releases.append(
      sampleRelease(3, { running, published: 'v1', cause: cause('publish', 9, 'bob@kre.io') }),
    )
    expect(await finish()).toEqual([9, 'bob@kre.io'])
  })
})
