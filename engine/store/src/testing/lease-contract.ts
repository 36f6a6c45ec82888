import { describe, expect, test } from '@jest/globals'
import type { LeaseStore } from '../ports/lease-store.ts'
import { sampleRuntime } from './sample-records.ts'
import type { MakeStore } from './make-store.ts'

const A = { name: 'engine', holder: 'a', place: 'here' }
const B = { name: 'engine', holder: 'b', place: 'there' }

export function leaseContract(makeStore: MakeStore): void {
  describe('leases', () => {
    test('are taken by one of many, and by the next as they were seen', async () => {
      await using store = await makeStore()
      const { leases } = store
      expect(await leases.read('engine')).toBeNull()
      const claims = ['a', 'b', 'c', 'd'].map((holder) => leases.take({ ...A, holder }, null))
      const taken = (await Promise.all(claims)).filter((lease) => lease !== null)
      expect(taken).toEqual([{ ...A, holder: expect.any(String), token: 1, beat: 1 }])

      const seen = await leases.read('engine')
      expect(seen).toEqual(taken[0])
      const next = await leases.take(B, seen)
      expect(next).toEqual({ ...B, token: 2, beat: 2 })
      expect(await leases.take(A, seen)).toBeNull()
      expect(await leases.take(A, null)).toBeNull()
      expect(await leases.read('engine')).toEqual(next)
    })

    test('can not be taken while their holder renews them', async () => {
      await using store = await makeStore()
      const { leases } = store
      const held = await takeNew(leases)
      const seen = await leases.read('engine')
      expect(await leases.renew(held)).toBe(2)
      expect(await leases.take(B, seen)).toBeNull()
      expect(await leases.take(B, await leases.read('engine'))).toMatchObject({ token: 2, beat: 3 })
    })

    test('are renewed, given back and forgotten by their holder alone', async () => {
      await using store = await makeStore()
      const { leases } = store
      const former = await takeNew(leases)
      const held = await leases.take(B, former)
      if (held === null) throw new Error('not taken')
      expect(await leases.renew(former)).toBeNull()
      await leases.release(former, null)
      await leases.remove(former)
      expect(await leases.read('engine')).toEqual(held)

      await leases.release(held, 'there')
      const free = await leases.read('engine')
      expect(free).toEqual({ ...held, holder: null, beat: held.beat + 1 })
      expect(await leases.renew(held)).toBeNull()
      const again = await leases.take(A, free)
      expect(again).toMatchObject({ ...A, token: held.token + 1 })
      if (again !== null) await leases.remove(again)
      expect(await leases.read('engine')).toBeNull()
    })

    test('leave each other alone', async () => {
      await using store = await makeStore()
      const { leases } = store
      const held = await takeNew(leases)
      await leases.take({ name: 'upload/1', holder: 'a', place: null }, null)
      expect((await leases.list()).map(({ name }) => name).toSorted()).toEqual([
        'engine',
        'upload/1',
      ])
      await leases.remove({ name: 'upload/1', holder: 'a', token: 1 })
      expect(await leases.read('upload/1')).toBeNull()
      expect(await leases.read('engine')).toEqual(held)
    })
  })

  describe('placements of leaders', () => {
    const placement = (generation: number) => ({
      runtimeId: 'demo',
      generation,
      workloads: [],
      routed: null,
      failures: {},
      stages: {},
      observedAt: new Date(generation),
    })

    test('refuse what a former leader still writes', async () => {
      await using store = await makeStore()
      await store.runtimes.create(sampleRuntime())
      await store.placements.put(placement(1))
      await store.placements.put(placement(2), 7)
      await expect(store.placements.put(placement(3), 6)).rejects.toMatchObject({
        code: 'aborted',
        message: expect.stringContaining('another engine'),
      })
      expect((await store.placements.get('demo'))?.generation).toBe(2)
      await store.placements.put(placement(4), 7)
      await store.placements.put(placement(5), 8)
      expect((await store.placements.get('demo'))?.generation).toBe(5)
    })
  })
}

async function takeNew(leases: LeaseStore) {
  const held = await leases.take(A, null)
  if (held === null) throw new Error('a new lease was not given')
  return held
}
