/** Objects by what one of their labels says: who asks for a few of thousands does not look at all of them. */
import type { ClusterObject } from './cluster/kinds.ts'

export type ObjectIndex<T extends ClusterObject> = {
  /** The very same list as long as none of them changes. */
  of(value: string): readonly T[]
  /** All values that some object has; without the empty one. */
  values(): Iterable<string>
  /** @param before the very object that was noted; null = there was nothing. @param now null = there is nothing any more. */
  note(before: T | null, now: T | null): void
}

const NONE: readonly never[] = Object.freeze([])

export function createObjectIndex<T extends ClusterObject>(label: string): ObjectIndex<T> {
  const byValue = new Map<string, readonly T[]>()
  const valueOf = (object: T) => object.metadata?.labels?.[label] ?? ''

  const drop = (object: T) => {
    const value = valueOf(object)
    const left = (byValue.get(value) ?? NONE).filter((one) => one !== object)
    if (left.length === 0) byValue.delete(value)
    else byValue.set(value, left)
  }
  return {
    of: (value) => byValue.get(value) ?? NONE,
    values: () => byValue.keys(),
    note(before, now) {
      if (before !== null) drop(before)
      if (now === null || valueOf(now) === '') return
      byValue.set(valueOf(now), [...(byValue.get(valueOf(now)) ?? NONE), now])
    },
  }
}
