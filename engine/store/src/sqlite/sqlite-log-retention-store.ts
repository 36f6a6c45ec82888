import type { LogRetentionStore } from '../ports/log-retention-store.ts'
import type { Database, Row } from './database.ts'
import { removeOldestLogs } from './remove-logs.ts'

type LimitsRow = Row & { age_ms: number | null; bytes_max: number | null }
type UsageRow = Row & { lines: number; bytes: number }

/** The bounds of logs; the lines themselves are written by the store of outputs. */
export function createSqliteLogRetentionStore(db: Database): LogRetentionStore {
  return {
    async limits(runtimeId) {
      const row = db.get<LimitsRow>(
        'SELECT age_ms, bytes_max FROM log_limits WHERE runtime_id = ?',
        runtimeId,
      )
      return { ageMs: row?.age_ms ?? null, bytesMax: row?.bytes_max ?? null }
    },
    async setLimits(runtimeId, { ageMs, bytesMax }) {
      db.run(
        `INSERT INTO log_limits (runtime_id, age_ms, bytes_max) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET age_ms = excluded.age_ms, bytes_max = excluded.bytes_max`,
        runtimeId,
        ageMs,
        bytesMax,
      )
    },
    async usage(runtimeId) {
      const row = db.get<UsageRow>(
        'SELECT lines, bytes FROM log_usage WHERE runtime_id = ?',
        runtimeId,
      )
      return { lines: row?.lines ?? 0, bytes: row?.bytes ?? 0 }
    },
    async trim(runtimeId, { olderThan, bytesMax }) {
      const old = await removeOldestLogs(db, runtimeId, { before: olderThan.getTime() })
      const excess = await removeOldestLogs(db, runtimeId, { bytesLeft: bytesMax })
      return { byAge: old.lines, bySize: excess.lines, bytes: old.bytes + excess.bytes }
    },
  }
}
