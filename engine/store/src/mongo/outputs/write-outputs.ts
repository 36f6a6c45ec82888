import { KiB, MiB, type OutputRecord } from '@kre/contracts'
import { BSON, type Collection } from 'mongodb'
import { refusalOf, refusedBytes } from '../../outputs/check-output.ts'
import type { WriteOutcome } from '../../ports/store.ts'
import type { DatabaseClaims } from '../claim-databases.ts'
import { takeNumbers, type Keyed, type MongoDatabases } from '../mongo-databases.ts'
import { insertMissing } from '../insert-missing.ts'
import type { DataCollections } from './data-collections.ts'
import type { LogUsageCounts } from './log-usage.ts'
import { toStored, type StoredOutput } from './output-document.ts'

export type WriteDeps = {
  databases: MongoDatabases
  claims: DatabaseClaims
  collections: DataCollections
  logUsage: LogUsageCounts
}

/** MongoDB's limit of 16 MiB, with room for what a command adds. */
const DOCUMENT_BYTES_MAX = 16 * MiB - 16 * KiB

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
    const failed = await insertMissing(
      collection,
      fitting.map(({ output }) => output.document),
    )
    const missed = new Set([...failed.present, ...failed.refused])
    const inserted = fitting.filter((_, index) => !missed.has(index))
    await countLogs(deps, runtimeId, inserted)
    refused.push(...failed.refused.flatMap((index) => fitting[index]?.each ?? []))
  }
  return refused
}

async function countLogs(
  { logUsage }: WriteDeps,
  runtimeId: string,
  inserted: readonly { output: StoredOutput }[],
): Promise<void> {
  const sizes = inserted.flatMap(({ output }) =>
    output.database === 'runtime' && output.collection === 'logs' ? output.document.bytes : [],
  )
  if (sizes.length === 0) return
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  await logUsage.add(runtimeId, { lines: sizes.length, bytes })
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
