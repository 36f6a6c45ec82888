import type { Collection, Filter } from 'mongodb'
import type { LogLimits, LogRetentionStore } from '../ports/log-retention-store.ts'
import type { DatabaseClaims } from './claim-databases.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'
import type { LogUsageCounts } from './outputs/log-usage.ts'
import type { LogDocument } from './outputs/output-document.ts'

/** A runtime has one, in its own database. */
const LIMITS = 'limits'

export function createMongoLogRetentionStore(
  databases: MongoDatabases,
  claims: DatabaseClaims,
  logUsage: LogUsageCounts,
): LogRetentionStore {
  const logsOf = (runtimeId: string): Collection<LogDocument> =>
    databases.runtime(runtimeId).collection('logs')
  const limitsOf = (runtimeId: string): Collection<Keyed & LogLimits> =>
    databases.runtime(runtimeId).collection('logLimits')

  return {
    async limits(runtimeId) {
      const found = await limitsOf(runtimeId).findOne({ _id: LIMITS })
      return { ageMs: found?.ageMs ?? null, bytesMax: found?.bytesMax ?? null }
    },
    async setLimits(runtimeId, { ageMs, bytesMax }) {
      await claims.take(runtimeId)
      await limitsOf(runtimeId).replaceOne({ _id: LIMITS }, { ageMs, bytesMax }, { upsert: true })
    },
    usage: (runtimeId) => logUsage.read(runtimeId),
    async trim(runtimeId, { olderThan, bytesMax }) {
      await logUsage.refresh(runtimeId, new Date())
      const old = await logUsage.remove(runtimeId, { date: { $lt: olderThan } })
      const excess = (await logUsage.read(runtimeId)).bytes - bytesMax
      const oldest = excess > 0 ? await oldestOf(logsOf(runtimeId), excess) : null
      const spare =
        oldest === null ? { lines: 0, bytes: 0 } : await logUsage.remove(runtimeId, oldest)
      return { byAge: old.lines, bySize: spare.lines, bytes: old.bytes + spare.bytes }
    },
  }
}

/** The oldest lines that have at least so many bytes together. */
async function oldestOf(
  logs: Collection<LogDocument>,
  bytes: number,
): Promise<Filter<LogDocument> | null> {
  const oldestFirst = logs
    .find({}, { projection: { date: 1, seq: 1, bytes: 1 } })
    .sort({ date: 1, seq: 1 })
  let left = bytes
  for await (const { date, seq, bytes: own } of oldestFirst) {
    left -= own
    if (left <= 0) return { $or: [{ date: { $lt: date } }, { date, seq: { $lte: seq } }] }
  }
  return null
}
