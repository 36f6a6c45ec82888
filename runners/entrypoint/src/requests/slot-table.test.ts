import { describe, expect, test } from '@jest/globals'
import { createSlotTable } from './slot-table.ts'

describe('the slot table', () => {
  test('finds an entry by its id until it is removed', () => {
    const slots = createSlotTable<{ id: number }>(2)
    const entry = { id: slots.nextId() ?? -1 }
    slots.put(entry)
    expect(slots.get(entry.id)).toBe(entry)
    slots.remove(entry)
    slots.remove(entry)
    expect(slots.get(entry.id)).toBeNull()
    expect(slots.size).toBe(0)
  })

  test("does not take a late token for the slot's next owner", () => {
    const slots = createSlotTable<{ id: number }>(1)
    const ids = new Set<number>()
    for (let use = 0; use < 100; use++) {
      const entry = { id: slots.nextId() ?? -1 }
      slots.put(entry)
      for (const old of ids) expect(slots.get(old)).toBeNull()
      expect(slots.get(entry.id)).toBe(entry)
      ids.add(entry.id)
      slots.remove(entry)
    }
    expect(ids.size).toBe(100)
  })

  test('has no id to give when it is full, and none for nonsense', () => {
    const slots = createSlotTable<{ id: number }>(2)
    for (let i = 0; i < 2; i++) slots.put({ id: slots.nextId() ?? -1 })
    expect(slots.nextId()).toBeNull()
    expect(slots.size).toBe(2)
    for (const id of [Number.NaN, -1, Infinity, 1e300, 0.5]) expect(slots.get(id)).toBeNull()
  })
})
