import { writtenByAnother } from '../leases/written-by-another.ts'
import type { PlacementStore } from '../ports/store.ts'
import { parsePlacement } from '../records/placement-json.ts'
import type { Database, Row } from './database.ts'
import { writeOf } from './write-of.ts'

export function createSqlitePlacementStore(db: Database): PlacementStore {
  return {
    async put(placement, token = 0) {
      const { runtimeId } = placement
      const written = writeOf(runtimeId, () =>
        db.run(
          `INSERT INTO placements (runtime_id, placement, token) VALUES (?, ?, ?)
           ON CONFLICT DO UPDATE SET placement = excluded.placement, token = excluded.token
           WHERE excluded.token >= placements.token`,
          runtimeId,
          JSON.stringify(placement),
          token,
        ),
      )
      if (written === 0) throw writtenByAnother(runtimeId, token)
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
