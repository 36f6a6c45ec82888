import type { HeardTotalsStore } from '../ports/heard-totals-store.ts'
import type { Database, Row } from './database.ts'

type TotalsRow = Row & { process: string; heard_ms: number; totals: string }

export function createSqliteHeardTotalsStore(db: Database): HeardTotalsStore {
  return {
    async put(all) {
      db.transaction(() => {
        for (const { process, heardAt, totals } of all)
          db.run(
            `INSERT INTO heard_totals (process, heard_ms, totals) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET heard_ms = excluded.heard_ms, totals = excluded.totals`,
            process,
            heardAt.getTime(),
            totals,
          )
      })
    },
    async since(moment) {
      return db
        .all<TotalsRow>('SELECT * FROM heard_totals WHERE heard_ms >= ?', moment.getTime())
        .map(({ process, heard_ms, totals }) => ({ process, heardAt: new Date(heard_ms), totals }))
    },
    async expire(olderThan) {
      return db.run('DELETE FROM heard_totals WHERE heard_ms < ?', olderThan.getTime())
    },
  }
}
