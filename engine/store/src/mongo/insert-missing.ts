import { KreError } from '@kre/contracts'
import type { AnyBulkWriteOperation, Collection, OptionalId } from 'mongodb'
import type { Keyed } from './mongo-databases.ts'
import { isDuplicate } from './to-kre-error.ts'

/** Errors that are the document's own: bad values and names, too large, too deep, refused by a validator. */
const DOCUMENT_ERRORS: ReadonlySet<number> = new Set([
  2, 9, 15, 52, 56, 57, 121, 10_334, 17_280, 17_419, 17_420, 28_731, 31_249, 55_001,
])

type Inserted = { present: number[]; refused: number[] }

/**
 * Inserts the documents whose keys are not there yet, in one unordered bulk.
 *
 * @returns indexes of the documents that were there already, and of those that the server refused for what they are.
 * @throws the driver's error, or KreError `unavailable`, when the server fails as a whole: then any of them may be there.
 */
export async function insertMissing<T extends Keyed>(
  collection: Collection<T>,
  documents: readonly OptionalId<T>[],
): Promise<Inserted> {
  const none = { present: [], refused: [] }
  if (documents.length === 0) return none
  const inserts = documents.map((document): AnyBulkWriteOperation<T> => ({
    insertOne: { document },
  }))
  try {
    await collection.bulkWrite(inserts, { ordered: false })
    return none
  } catch (error) {
    return failuresIn(error)
  }
}

/** @throws the error itself, unless all it tells of are documents that are there already or can't be stored. */
function failuresIn(error: unknown): Inserted {
  const { writeErrors, result } = error as BulkFailure
  const failures = [writeErrors ?? []].flat()
  // The driver puts a lost connection into the same class of errors, with an empty list: nothing is known then.
  if (failures.length === 0 || result?.getWriteConcernError() !== undefined) throw error
  const failed: Inserted = { present: [], refused: [] }
  for (const each of failures) {
    if (isDuplicate(each)) failed.present.push(each.index)
    else if (DOCUMENT_ERRORS.has(each.code)) failed.refused.push(each.index)
    else
      throw new KreError(
        'unavailable',
        `a write failed (${each.code}): ${each.errmsg ?? ''}`,
        {},
        { cause: error },
      )
  }
  return failed
}

/** What the driver's MongoBulkWriteError has; told by its fields, as all its errors are. */
type BulkFailure = {
  writeErrors?: WriteFailure | readonly WriteFailure[]
  result?: { getWriteConcernError(): unknown }
}
type WriteFailure = { code: number; index: number; errmsg?: string }
