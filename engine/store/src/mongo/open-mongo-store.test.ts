import { afterAll, describe, jest } from '@jest/globals'
import { startMongo } from '../testing/mongo/start-mongo.ts'
import { storeContract } from '../testing/store-contract.ts'

/** FerretDB inserts a thousand documents a second, and the contract has tests with tens of thousands. */
jest.setTimeout(180_000)

const mongo = await startMongo()

if (mongo === null) describe.skip('store on MongoDB', () => undefined)
else {
  afterAll(async () => mongo[Symbol.asyncDispose]())
  storeContract(`MongoDB (${mongo.kind})`, () => mongo.openStore())
}
