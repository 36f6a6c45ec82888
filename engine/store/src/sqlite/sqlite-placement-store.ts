import type { Placement, ReplicaObservation, WorkloadObservation } from '@kre/contracts'
import type { PlacementStore } from '../ports/store.ts'
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
      return row === null ? null : toPlacement(row.placement)
    },
    async remove(runtimeId) {
      db.run('DELETE FROM placements WHERE runtime_id = ?', runtimeId)
    },
  }
}

/** A placement as JSON has it: dates are text. */
type Flat<T> = {
  readonly [K in keyof T]: T[K] extends Date
    ? string
    : T[K] extends Date | null
      ? string | null
      : T[K]
}
type FlatWorkload = Omit<WorkloadObservation, 'replicas'> & {
  readonly replicas: readonly Flat<ReplicaObservation>[]
}
type FlatPlacement = Omit<Flat<Placement>, 'workloads'> & {
  readonly workloads: readonly FlatWorkload[]
}

function toPlacement(text: string): Placement {
  const flat = JSON.parse(text) as FlatPlacement
  return {
    ...flat,
    observedAt: new Date(flat.observedAt),
    workloads: flat.workloads.map((workload) => ({
      ...workload,
      replicas: workload.replicas.map((replica) => ({
        ...replica,
        startedAt: replica.startedAt === null ? null : new Date(replica.startedAt),
      })),
    })),
  }
}
