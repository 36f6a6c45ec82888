/**
 * Finds a request by its reply token without hashing: the token is a number that names a slot and the
 * generation of its use, so that a late reply never reaches the slot's next owner.
 */
export type SlotTable<T extends { readonly id: number }> = {
  readonly size: number
  /** Id for the next entry, which must then be given to `put`; null when all slots are taken. */
  nextId(): number | null
  put(entry: T): void
  /** The entry with this very id, or null. */
  get(id: number): T | null
  remove(entry: T): void
  /** A copy: entries may be removed while it is walked. */
  all(): T[]
}

export function createSlotTable<T extends { readonly id: number }>(capacity: number): SlotTable<T> {
  const slots: (T | null)[] = Array.from({ length: capacity }, () => null)
  const free = Array.from({ length: capacity }, (_, index) => capacity - 1 - index)
  const generations = new Float64Array(capacity)
  let size = 0

  return {
    get size() {
      return size
    },
    nextId() {
      const index = free[free.length - 1]
      return index === undefined ? null : (generations[index] as number) * capacity + index
    },
    put(entry) {
      slots[free.pop() as number] = entry
      size++
    },
    get(id) {
      const entry = slots[id % capacity] ?? null
      return entry !== null && entry.id === id ? entry : null
    },
    remove(entry) {
      const index = entry.id % capacity
      if (slots[index] !== entry) return
      slots[index] = null
      generations[index] = (generations[index] as number) + 1
      free.push(index)
      size--
    },
    all: () => slots.filter((entry) => entry !== null),
  }
}
