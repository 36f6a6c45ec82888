import type { MasterKey, MasterKeys } from './master-keys.ts'

/** The master keys of this process. What is sealed uses the first; what is opened may need any. */
export type KeyRing = {
  readonly current: MasterKey
  /** Null = not here. */
  find(id: string): MasterKey | null
  /** For a rotation: the ring is shared, so everybody has the new keys at once. */
  replace(keys: MasterKeys): void
  keys(): MasterKeys
}

export function createKeyRing(initial: MasterKeys): KeyRing {
  let keys = initial
  return {
    get current() {
      return keys[0]
    },
    find: (id) => keys.find((key) => key.id === id) ?? null,
    replace(next) {
      keys = next
    },
    keys: () => keys,
  }
}
