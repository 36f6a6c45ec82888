import type { Store } from '../ports/store.ts'

/** A new, empty store for each test, gone with it. */
export type MakeStore = () => Promise<Store>
