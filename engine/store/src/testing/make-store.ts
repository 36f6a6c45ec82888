import type { Store } from '../ports/store.ts'

/** A new, empty store for each test, gone with it. */
export type MakeStore = (() => Promise<Store>) & {
  /** What the server behind the store can't, with the reason: the tests of it are skipped and say why. */
  readonly cannot?: { readonly groupMany?: string }
}
