import type { PlacementStore } from '../ports/store.ts'
import { parsePlacement } from '../records/placement-json.ts'
import type { Database, Row } from './database.ts'
import { writeOf } from './write-of.ts'

export function createSqlitePlacementStore(db: Database): PlacementStore {
  return {
    async put(placement) {
      writeOf(placement.runtimeId, () =>
        db.run(
          `INSERT INTO placements (runtime_id, placement) VALUES (?, ?)
           ON CONFLICT DO UPDATE SET placement = excluded.placement`,
          placement.runtimeId,
          JSON.stringify(placement),
        ),
      )
    },
    async get(runtimeId) {
      const row = db.get<Row & { placement: string }>(
        'SELECT placement FROM placements WHERE runtime_id = ?',
        runtimeId,
      )
      return row === null ? null : parsePlacement(row.placement)
    },
    async remove(runtimeId) {
      db.run('DELETE FROM placements WHERE runtime_id = ?', runtimeId)
    },
  }
}
