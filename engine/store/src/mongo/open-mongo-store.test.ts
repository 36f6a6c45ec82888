import { afterAll, describe } from '@jest/globals'
import { startMongo } from '../testing/mongo/start-mongo.ts'
import { storeContract } from '../testing/store-contract.ts'

const mongo = await startMongo()

if (mongo === null) describe.skip('store on MongoDB', () => undefined)
else {
  afterAll(async () => mongo[Symbol.asyncDispose]())
  storeContract(`MongoDB (${mongo.kind})`, () => mongo.openStore())
}
