import { expect, test } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { MONGO_OPTIONS } from './connect-mongo.ts'

test('no address makes writes less durable, or reads older', () => {
  const weaker = 'w=0&journal=false&readPreference=secondary&serverSelectionTimeoutMS=100000'
  const { options } = new MongoClient(`mongodb://host/?${weaker}`, MONGO_OPTIONS)
  expect(options.writeConcern).toMatchObject({ w: 'majority', journal: true })
  expect(options.readPreference.mode).toBe('primary')
  expect(options.serverSelectionTimeoutMS).toBe(5_000)
})
