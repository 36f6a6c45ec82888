import { expect, test } from '@jest/globals'
import { KreError, type Placement } from '@kre/contracts'
import type { PlacementStore } from '@kre/store'
import { writeChanges } from './write-changes.ts'

function placement(changes: Partial<Placement> = {}): Placement {
  return {
    runtimeId: 'demo',
    generation: 1,
    workloads: [],
    routed: null,
    failures: {},
    stages: {},
    observedAt: new Date(0),
    ...changes,
  }
}

/** Placements in memory, which count the writes. */
function counting() {
  const kept = new Map<string, Placement>()
  const writes: { placement: Placement; token: number | undefined }[] = []
  const store: PlacementStore = {
    get: async (runtimeId) => kept.get(runtimeId) ?? null,
    async put(written, token) {
      writes.push({ placement: written, token })
      if (token === 0) throw new KreError('aborted', 'another engine leads by now')
      kept.set(written.runtimeId, written)
    },
    async remove(runtimeId) {
      kept.delete(runtimeId)
    },
  }
  return { store, writes, kept }
}

test('writes what looks different, and nothing that was only looked at again', async () => {
  const { store, writes } = counting()
  const placements = writeChanges(store)
  await placements.put(placement(), 7)
  await placements.put(placement({ observedAt: new Date(1) }), 7)
  await placements.put(placement({ runtimeId: 'other' }), 7)
  await placements.put(placement({ routed: 'v1', observedAt: new Date(2) }), 7)
  await placements.put(placement({ routed: 'v1', observedAt: new Date(3) }), 7)
  expect(writes.map((write) => [write.placement.runtimeId, write.placement.observedAt])).toEqual([
    ['demo', new Date(0)],
    ['other', new Date(0)],
    ['demo', new Date(2)],
  ])
})

test('writes its own first, whatever an engine before it wrote, so that the token is its own', async () => {
  const { store, writes } = counting()
  await writeChanges(store).put(placement(), 7)
  await writeChanges(store).put(placement(), 8)
  expect(writes.map(({ token }) => token)).toEqual([7, 8])
})

test('writes again what is gone, and what could not be written', async () => {
  const { store, writes, kept } = counting()
  const placements = writeChanges(store)
  await placements.put(placement(), 7)
  kept.clear()
  await placements.put(placement(), 7)
  await placements.remove('demo')
  await placements.put(placement(), 7)
  await expect(placements.put(placement({ generation: 2 }), 0)).rejects.toThrow('another engine')
  await placements.put(placement(), 7)
  expect(writes).toHaveLength(5)
})

test('tells of what was written, and of nothing else', async () => {
  const told: string[] = []
  const placements = writeChanges(counting().store, (runtimeId) => told.push(runtimeId))
  await placements.put(placement(), 7)
  await placements.put(placement({ observedAt: new Date(5) }), 7)
  expect(told).toEqual(['demo'])
  await expect(placements.put(placement({ generation: 2 }), 0)).rejects.toThrow('leads')
  expect(told).toEqual(['demo'])
})
