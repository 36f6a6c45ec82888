import { DAY_MS } from '@kre/contracts'
import type { Collection, Filter } from 'mongodb'
import type { LogUsage } from '../../ports/log-retention-store.ts'
import { inTurn, turnOf } from '../in-turn.ts'
import type { Keyed, MongoDatabases } from '../mongo-databases.ts'
import { isDuplicate } from '../to-kre-error.ts'
import type { LogDocument } from './output-document.ts'

/** A runtime has one, in its own database. */
type UsageDocument = Keyed & LogUsage & { countedAt: Date }
const LOGS = 'logs'
/**
 * A process that dies between lines and their count, and one that counts while another writes, leave the count wrong
 * by what was under way: so it is made anew each day.
 */
const RECOUNTED_MS = DAY_MS

/** What a runtime's log lines take, kept beside them: adding them up reads all of them. */
export type LogUsageCounts = {
  /** Without a count yet, the lines are added up. */
  read(runtimeId: string): Promise<LogUsage>
  /** Counts lines that were written, or removed with negative numbers. Only for runtimes whose databases were claimed. */
  add(runtimeId: string, more: LogUsage): Promise<void>
  /** Counts again what was counted too long ago. */
  refresh(runtimeId: string, now: Date): Promise<void>
  /** Removes the lines that match, from the collection and from the count. */
  remove(runtimeId: string, filter: Filter<LogDocument>): Promise<LogUsage>
}

export function createLogUsageCounts(databases: MongoDatabases): LogUsageCounts {
  const logsOf = (runtimeId: string): Collection<LogDocument> =>
    databases.runtime(runtimeId).collection('logs')
  const countsOf = (runtimeId: string): Collection<UsageDocument> =>
    databases.runtime(runtimeId).collection('logUsage')

  const add = async (runtimeId: string, { lines, bytes }: LogUsage): Promise<void> => {
    const counts = countsOf(runtimeId)
    await inTurn(turnOf(counts, LOGS), async () => {
      const { matchedCount } = await counts.updateOne({ _id: LOGS }, { $inc: { lines, bytes } })
      if (matchedCount > 0) return
      const all = await sumOf(logsOf(runtimeId), {})
      try {
        await counts.insertOne({ _id: LOGS, ...all, countedAt: new Date() })
      } catch (error) {
        // Another process was faster; whether it saw these lines is put right with the next count.
        if (!isDuplicate(error)) throw error
      }
    })
  }

  return {
    add,
    async read(runtimeId) {
      const found = await countsOf(runtimeId).findOne({ _id: LOGS })
      if (found !== null) return { lines: found.lines, bytes: found.bytes }
      return sumOf(logsOf(runtimeId), {})
    },
    async refresh(runtimeId, now) {
      const counts = countsOf(runtimeId)
      const found = await counts.findOne({ _id: LOGS })
      if (found === null || now.getTime() - found.countedAt.getTime() < RECOUNTED_MS) return
      await inTurn(turnOf(counts, LOGS), async () => {
        const all = await sumOf(logsOf(runtimeId), {})
        await counts.updateOne({ _id: LOGS }, { $set: { ...all, countedAt: now } })
      })
    },
    async remove(runtimeId, filter) {
      const logs = logsOf(runtimeId)
      const { bytes } = await sumOf(logs, filter)
      // No line has no bytes.
      if (bytes === 0) return { lines: 0, bytes: 0 }
      const { deletedCount: lines } = await logs.deleteMany(filter)
      await add(runtimeId, { lines: -lines, bytes: -bytes })
      return { lines, bytes }
    },
  }
}

async function sumOf(
  logs: Collection<LogDocument>,
  filter: Filter<LogDocument>,
): Promise<LogUsage> {
  // Two questions: FerretDB gives only the first sum of a group its values.
  const lines = await logs.countDocuments(filter)
  if (lines === 0) return { lines, bytes: 0 }
  const [sum] = await logs
    .aggregate<{ bytes: number }>([
      { $match: filter },
      { $group: { _id: null, bytes: { $sum: '$bytes' } } },
    ])
    .toArray()
  return { lines, bytes: sum?.bytes ?? 0 }
}
