import { ATTEMPT_COUNTERS_MAX, type AttemptStore } from '../../ports/identity-store.ts'
import type { Database, Row } from '../database.ts'

export function createSqliteAttemptStore(db: Database): AttemptStore {
  return {
    async add(key, expiresAt, now) {
      return db.transaction(() => {
        db.run('DELETE FROM attempts WHERE expires_at <= ?', now.getTime())
        const row = db.get<Row & { count: number; expires_at: number }>(
          `INSERT INTO attempts (key, count, began_at, expires_at) VALUES (?, 1, ?, ?)
           ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count, expires_at`,
          key,
          now.getTime(),
          expiresAt.getTime(),
        )
        if (row?.count === 1)
          db.run(
            `DELETE FROM attempts WHERE key IN
               (SELECT key FROM attempts ORDER BY began_at DESC, key LIMIT -1 OFFSET ?)`,
            ATTEMPT_COUNTERS_MAX,
          )
        return {
          count: row?.count ?? 1,
          expiresAt: new Date(row?.expires_at ?? expiresAt),
        }
      })
    },
  }
}
