import { describe, expect, test } from '@jest/globals'
import type { Placement } from '@kre/contracts'
import { sampleLog, sampleRelease, sampleRuntime, sampleVersion } from './sample-records.ts'
import { configContract } from './config-contract.ts'
import type { MakeStore } from './make-store.ts'

const AT = new Date('2026-02-03T04:05:06.789Z')

export function controlContract(makeStore: MakeStore): void {
  describe('runtimes', () => {
    test('are found as they were created, oldest first', async () => {
      await using store = await makeStore()
      const first = sampleRuntime('zeta')
      const second = sampleRuntime('alpha', { createdAt: AT, description: 'with "quotes" and ñ\0' })
      await store.runtimes.create(second)
      await store.runtimes.create(first)
      expect(await store.runtimes.find('alpha')).toEqual(second)
      expect(await store.runtimes.list()).toEqual([first, second])
      expect(await store.runtimes.find('nobody')).toBeNull()
    })

    test('take other texts, and no other’s name', async () => {
      await using store = await makeStore()
      const first = sampleRuntime('first')
      await store.runtimes.create(first)
      await store.runtimes.create(sampleRuntime('second', { name: 'Second' }))
      const texts = { name: 'Renamed', description: 'described anew' }
      expect(await store.runtimes.update('first', texts)).toEqual({ ...first, ...texts })
      expect(await store.runtimes.find('first')).toEqual({ ...first, ...texts })
      // The same again is no conflict with itself.
      expect(await store.runtimes.update('first', texts)).toEqual({ ...first, ...texts })
      await expect(
        store.runtimes.update('second', { ...texts, description: 'd' }),
      ).rejects.toMatchObject({
        code: 'already-exists',
        message: 'there is already a runtime with the same name',
      })
      await expect(store.runtimes.update('third', texts)).rejects.toMatchObject({
        code: 'not-found',
      })
    })

    test('keep both texts that two people change at once', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime('demo'))
      await Promise.all([
        store.runtimes.update('demo', { name: 'Renamed' }),
        store.runtimes.update('demo', { description: 'described anew' }),
      ])
      expect(await store.runtimes.update('demo', {})).toEqual(
        sampleRuntime('demo', { name: 'Renamed', description: 'described anew' }),
      )
    })

    test('have an id and a name of their own', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime('demo'))
      await expect(
        store.runtimes.create(sampleRuntime('demo', { name: 'other' })),
      ).rejects.toMatchObject({
        code: 'already-exists',
        message: 'there is already a runtime with the same id',
      })
      await expect(
        store.runtimes.create(sampleRuntime('other', { name: 'Runtime demo' })),
      ).rejects.toMatchObject({
        code: 'already-exists',
        message: 'there is already a runtime with the same name',
      })
    })

    test('of parallel creations of one id, one wins', async () => {
      await using store = await makeStore()
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, i) =>
          store.runtimes.create(sampleRuntime('demo', { name: `n${i}` })),
        ),
      )
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    })

    test('take everything with them when they are removed, and nothing of others', async () => {
      await using store = await makeStore()
      for (const id of ['demo', 'other']) {
        await store.runtimes.create(sampleRuntime(id))
        await store.versions.create(sampleVersion('v1', { id: `${id}-v1`, runtimeId: id }))
        await store.releases.append(sampleRelease(1, { runtimeId: id }))
        await store.config.set(id, 'v1', [
          { key: 'K', type: 'VARIABLE', value: 'secret', updatedAt: AT },
        ])
        await store.placements.put(samplePlacement(id))
        await store.outputs.write([sampleLog('1', { runtimeId: id })])
      }
      await store.runtimes.remove('demo')
      await store.runtimes.remove('demo')
      await store.runtimes.create(sampleRuntime('demo'))
      expect(await holdings('demo')).toEqual([0, null, [], 0, null, 0])
      expect(await holdings('other')).toEqual([1, 1, ['v1'], 1, 'other', 1])

      async function holdings(id: string): Promise<unknown[]> {
        return [
          (await store.versions.list(id)).length,
          (await store.releases.current(id))?.generation ?? null,
          [...(await store.releases.everRunning(id))],
          await store.config.generation(id, 'v1'),
          (await store.placements.get(id))?.runtimeId ?? null,
          (await store.outputs.logs({ runtimeId: id, limit: 10, order: 'newest-first' })).items
            .length,
        ]
      }
    })
  })

  describe('versions', () => {
    test('are found as they were created, newest first', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const first = sampleVersion('v1')
      const second = sampleVersion('v2', { createdAt: AT })
      await store.versions.create(second)
      await store.versions.create(first)
      expect(await store.versions.list('demo')).toEqual([second, first])
      expect(await store.versions.find('demo', 'v1')).toEqual(first)
      expect(await store.versions.find('other', 'v1')).toBeNull()
    })

    test('of parallel creations of one name, exactly one wins', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, i) =>
          store.versions.create(sampleVersion('v1', { id: `id-${i}` })),
        ),
      )
      const refused = results.filter((result) => result.status === 'rejected')
      expect(refused).toHaveLength(7)
      expect(refused[0]?.reason).toMatchObject({ code: 'already-exists' })
      expect(await store.versions.list('demo')).toHaveLength(1)
    })

    test('need their runtime', async () => {
      await using store = await makeStore()
      await expect(store.versions.create(sampleVersion())).rejects.toMatchObject({
        code: 'not-found',
      })
    })

    test('remember who published them last, and are refused when they are gone', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      await store.versions.create(sampleVersion())
      await store.versions.markPublished('demo', 'v1', 'bob@kre', AT)
      expect(await store.versions.find('demo', 'v1')).toMatchObject({
        publishedAt: AT,
        publishedBy: 'bob@kre',
      })
      await expect(store.versions.markPublished('demo', 'v9', 'bob@kre', AT)).rejects.toMatchObject(
        { code: 'not-found' },
      )
    })

    test('take their configuration with them, and free their bundle with the last user', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      await store.versions.create(sampleVersion('v1'))
      await store.versions.create(sampleVersion('v2'))
      await store.config.set('demo', 'v1', [
        { key: 'K', type: 'VARIABLE', value: 'secret', updatedAt: AT },
      ])
      await store.releases.append(sampleRelease(1))
      await store.versions.remove('demo', 'v1')
      await store.versions.remove('demo', 'v1')
      expect(await store.config.get('demo', 'v1')).toEqual([])
      expect(await store.releases.everRunning('demo')).toEqual(new Set())
      expect(await store.versions.usesBundle('a'.repeat(64))).toBe(true)
      await store.versions.remove('demo', 'v2')
      expect(await store.versions.usesBundle('a'.repeat(64))).toBe(false)
    })
  })

  describe('releases', () => {
    test('follow each other without gaps', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      expect(await store.releases.current('demo')).toBeNull()
      await store.releases.append(sampleRelease(1, { published: 'v1' }))
      await store.releases.append(sampleRelease(2, { running: [] }))
      for (const generation of [0, 1, 2, 4])
        await expect(store.releases.append(sampleRelease(generation))).rejects.toMatchObject({
          code: 'aborted',
        })
      expect(await store.releases.current('demo')).toEqual(sampleRelease(2, { running: [] }))
      expect(await store.releases.history('demo', 10)).toEqual([
        sampleRelease(2, { running: [] }),
        sampleRelease(1, { published: 'v1' }),
      ])
      expect(await store.releases.history('demo', 1)).toHaveLength(1)
      expect(await store.releases.everRunning('demo')).toEqual(new Set(['v1']))
    })

    test('of parallel writers of one generation, one wins', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, () => store.releases.append(sampleRelease(1))),
      )
      expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
    })

    test('need their runtime', async () => {
      await using store = await makeStore()
      await expect(store.releases.append(sampleRelease(1))).rejects.toMatchObject({
        code: 'not-found',
      })
    })
  })

  configContract(makeStore)

  describe('placements', () => {
    test('come back as they were put, dates included', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      expect(await store.placements.get('demo')).toBeNull()
      await store.placements.put(samplePlacement('demo', 1))
      await store.placements.put(samplePlacement('demo', 2))
      expect(await store.placements.get('demo')).toEqual(samplePlacement('demo', 2))
      await store.placements.remove('demo')
      await store.placements.remove('demo')
      expect(await store.placements.get('demo')).toBeNull()
    })
  })
}

function samplePlacement(runtimeId: string, generation = 1): Placement {
  return {
    runtimeId,
    generation,
    workloads: [
      {
        id: `${runtimeId}.v1.wf.a`,
        runtimeId,
        version: 'v1',
        role: 'node',
        workflow: 'wf',
        node: 'a',
        replicasWanted: 1,
        specHash: 'h',
        replicas: [
          {
            replica: 0,
            state: 'ready',
            specHash: 'h',
            pid: 1,
            startedAt: AT,
            restarts: 0,
            isOverdue: false,
            reason: '',
          },
          {
            replica: 1,
            state: 'backoff',
            specHash: 'h',
            pid: null,
            startedAt: null,
            restarts: 3,
            isOverdue: true,
            reason: 'exit 1',
          },
        ],
        address: '',
      },
    ],
    routed: null,
    failures: { v2: 'no' },
    stages: {},
    observedAt: AT,
  }
}
