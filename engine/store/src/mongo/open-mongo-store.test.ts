import { afterAll, describe } from '@jest/globals'
import type { MakeStore } from '../testing/make-store.ts'
import { startMongo } from '../testing/mongo/start-mongo.ts'
import { storeContract } from '../testing/store-contract.ts'

const mongo = await startMongo()

if (mongo === null) describe.skip('store on MongoDB', () => undefined)
else {
  afterAll(async () => mongo[Symbol.asyncDispose]())
  const makeStore: MakeStore = Object.assign(() => mongo.openStore(), {
    cannot:
      mongo.kind === 'FerretDB'
        ? { groupMany: 'FerretDB needs minutes for a $group of 40,000 different keys' }
        : {},
  })
  storeContract(`MongoDB (${mongo.kind})`, makeStore)
}
