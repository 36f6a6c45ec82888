import { KreError, type OutputRecord } from '@kre/contracts'
import { BSON, type AnyBulkWriteOperation, type Collection } from 'mongodb'
import { refusalOf, refusedBytes } from '../../outputs/check-output.ts'
import type { WriteOutcome } from '../../ports/store.ts'
import type { DatabaseClaims } from '../claim-databases.ts'
import { takeNumbers, type Keyed, type MongoDatabases } from '../mongo-databases.ts'
import { isDuplicate } from '../to-kre-error.ts'
import type { DataCollections } from './data-collections.ts'
import { toStored, type StoredOutput } from './output-document.ts'

export type WriteDeps = {
  databases: MongoDatabases
  claims: DatabaseClaims
  collections: DataCollections
}

/** MongoDB's limit of 16 MiB, with room for what a command adds. */
const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024 - 16 * 1024
/** Errors that are the document's own: bad values and names, too large, too deep, refused by a validator. */
const DOCUMENT_ERRORS: ReadonlySet<number> = new Set([
  2, 9, 15, 52, 56, 57, 121, 10_334, 17_280, 17_419, 17_420, 28_731, 31_249, 55_001,
])

/** One record of the batch on its way; its outcome is settled by whoever decides it. */
type Pending = { record: OutputRecord; json: string; seq: number; outcome: WriteOutcome }

/**
 * One unordered bulk of inserts per collection. What is there already is stored; what the server refuses in its native
 * form is written once more as opaque.
 *
 * @throws the driver's error when the server fails as a whole.
 */
export async function writeOutputs(
  deps: WriteDeps,
  records: readonly OutputRecord[],
): Promise<WriteOutcome[]> {
  const pending = records.map(check)
  const writable = pending.filter(({ outcome }) => outcome.stored)
  for (const [runtimeId, own] of Map.groupBy(writable, ({ record }) => record.runtimeId)) {
    await deps.claims.take(runtimeId)
    const first = await takeNumbers(deps.databases.runtime(runtimeId), 'outputs', own.length)
    for (const [index, each] of own.entries()) each.seq = first + index
    const refused = await insertAll(deps, runtimeId, own, 'native')
    for (const each of await insertAll(deps, runtimeId, refused, 'opaque'))
      if (each.outcome.stored) refuse(each, 'the database refuses it')
  }
  return pending.map(({ outcome }) => outcome)
}

function check(record: OutputRecord): Pending {
  const { id } = record
  const refusal = refusalOf(record)
  const json = refusal === null ? JSON.stringify(record) : ''
  const reason = refusal ?? refusedBytes(Buffer.byteLength(json))
  const outcome =
    reason === null ? { id, stored: true as const } : { id, stored: false as const, reason }
  return { record, json, seq: 0, outcome }
}

function refuse(pending: Pending, reason: string): void {
  pending.outcome = { id: pending.record.id, stored: false, reason }
}

/** @returns those that the server refused for what they are. */
async function insertAll(
  deps: WriteDeps,
  runtimeId: string,
  pending: readonly Pending[],
  form: 'native' | 'opaque',
): Promise<Pending[]> {
  const refused: Pending[] = []
  const stored = pending.map((each) => ({
    each,
    output: toStored(each.record, each.json, each.seq, form),
  }))
  const byCollection = Map.groupBy(
    stored,
    ({ output }) => `${output.database}/${output.collection}`,
  )
  for (const group of byCollection.values()) {
    const collection = await collectionOf(deps, runtimeId, group[0]?.output)
    if (typeof collection === 'string') {
      for (const { each } of group) refuse(each, collection)
      continue
    }
    const fitting = group.filter(({ each, output }) => {
      const fits =
        BSON.calculateObjectSize(output.document, { ignoreUndefined: true }) <= DOCUMENT_BYTES_MAX
      if (!fits) refused.push(each)
      return fits
    })
    const indexes = await insertBulk(
      collection,
      fitting.map(({ output }) => output.document),
    )
    refused.push(...indexes.flatMap((index) => fitting[index]?.each ?? []))
  }
  return refused
}

/** @returns why there is none, in words, when there can't be another collection. */
async function collectionOf(
  { databases, collections }: WriteDeps,
  runtimeId: string,
  output: StoredOutput | undefined,
): Promise<Collection<Keyed> | string> {
  if (output === undefined) return 'there is no output'
  if (output.database === 'runtime')
    return databases.runtime(runtimeId).collection<Keyed>(output.collection)
  return collections.open(runtimeId, output.collection)
}

/** @returns indexes of the documents that the server refused for what they are. */
async function insertBulk(
  collection: Collection<Keyed>,
  documents: readonly Keyed[],
): Promise<number[]> {
  if (documents.length === 0) return []
  const inserts = documents.map((document): AnyBulkWriteOperation<Keyed> => ({
    insertOne: { document },
  }))
  try {
    await collection.bulkWrite(inserts, { ordered: false })
    return []
  } catch (error) {
    return refusedIn(error)
  }
}

/** @throws the error itself, unless all it tells of are documents that are there already or can't be stored. */
function refusedIn(error: unknown): number[] {
  const { writeErrors, result } = error as BulkFailure
  if (writeErrors === undefined || result?.getWriteConcernError() !== undefined) throw error
  const refused: number[] = []
  for (const each of [writeErrors].flat()) {
    if (isDuplicate(each)) continue
    if (!DOCUMENT_ERRORS.has(each.code))
      throw new KreError(
        'unavailable',
        `a write failed (${each.code}): ${each.errmsg ?? ''}`,
        {},
        { cause: error },
      )
    refused.push(each.index)
  }
  return refused
}

/** What the driver's MongoBulkWriteError has; told by its fields, as all its errors are. */
type BulkFailure = {
  writeErrors?: WriteFailure | readonly WriteFailure[]
  result?: { getWriteConcernError(): unknown }
}
type WriteFailure = { code: number; index: number; errmsg?: string }
