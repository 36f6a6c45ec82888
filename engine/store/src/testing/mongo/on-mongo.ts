import { afterAll, describe } from '@jest/globals'
import type { MakeStore } from '../make-store.ts'
import { startMongo } from './start-mongo.ts'

/** Runs a contract of stores against a server of its own; skips where none can be made. */
export async function onMongo(
  contract: (name: string, makeStore: MakeStore) => void,
): Promise<void> {
  const mongo = await startMongo()
  if (mongo === null) return describe.skip('store on MongoDB', () => undefined)
  afterAll(async () => mongo[Symbol.asyncDispose]())
  const makeStore: MakeStore = Object.assign(() => mongo.openStore(), {
    cannot:
      mongo.kind === 'FerretDB'
        ? { groupMany: 'FerretDB needs minutes for a $group of 40,000 different keys' }
        : {},
  })
  contract(`MongoDB (${mongo.kind})`, makeStore)
}
