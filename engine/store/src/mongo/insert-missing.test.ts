import { describe, expect, test } from '@jest/globals'
import {
  MongoBulkWriteError,
  MongoNetworkError,
  MongoServerSelectionError,
  type BulkWriteResult,
  type Collection,
} from 'mongodb'
import { insertMissing } from './insert-missing.ts'
import type { Keyed } from './mongo-databases.ts'
import { toKreError } from './to-kre-error.ts'

/** Fails as the driver does; a server that does so on purpose isn't to be had. */
function failing(error: unknown): Collection<Keyed> {
  return { bulkWrite: () => Promise.reject(error) } as unknown as Collection<Keyed>
}
function bulkError(cause: unknown, concern?: unknown): MongoBulkWriteError {
  const result = { getWriteConcernError: () => concern } as unknown as BulkWriteResult
  return new MongoBulkWriteError(cause as Error & { message: string }, result)
}
const written = (...codes: number[]) => ({
  message: 'some failed',
  code: codes[0],
  writeErrors: codes.map((code, index) => ({ code, index, errmsg: 'why' })),
})

describe('insertMissing', () => {
  const documents = [{ _id: 'a' }, { _id: 'b' }, { _id: 'c' }]
  const insert = (error: unknown) => insertMissing(failing(error), documents)

  test('tells what was there from what the server refuses', async () => {
    expect(await insert(bulkError(written(11_000, 2, 10_334)))).toEqual({
      present: [0],
      refused: [1, 2],
    })
  })

  test.each([
    ['a lost connection', bulkError(new MongoNetworkError('connection closed'))],
    ['no server', bulkError(new MongoServerSelectionError('none', {} as never))],
    ['a write concern that was not met', bulkError(written(11_000), { code: 64 })],
    ['a write concern alone', bulkError({ message: 'waiting for replication', code: 64 })],
    ['a server that is no primary any more', bulkError({ message: 'x', code: 10_107 })],
    ['an error of the server among duplicates', bulkError(written(11_000, 91))],
  ])('takes nothing as stored after %s', async (_, error) => {
    const thrown: unknown = await insert(error).catch((failure: unknown) => failure)
    expect(thrown).toBeInstanceOf(Error)
    const { code } = toKreError(thrown, 'db')
    expect(['unavailable', 'internal']).toContain(code)
  })

  test('says that the server is away when the driver wraps it', () => {
    const error = bulkError(new MongoNetworkError('connection closed'))
    expect(toKreError(error, 'db')).toMatchObject({ code: 'unavailable' })
  })
})
