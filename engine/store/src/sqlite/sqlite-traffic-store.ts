import { setImmediate as nextTurn } from 'node:timers/promises'
import { addCounts, checkSamples, checkStep, stepBegin } from '../outputs/traffic-steps.ts'
import {
  TRAFFIC_RESOLUTIONS,
  TRAFFIC_SAMPLES_MAX,
  TRAFFIC_SCOPES_MAX,
  type TrafficCounts,
  type TrafficSample,
  type TrafficScope,
  type TrafficStore,
} from '../ports/traffic-store.ts'
import type { Database, Row } from './database.ts'

/** Steps removed before other work of the process gets its turn. */
const REMOVAL_ROWS = 2_000

type CountsRow = Row & { calls: number; errors: number; times: string; queued_max: number }
type SampleRow = CountsRow & { workflow: string; node: string; from_node: string; at_ms: number }

export function createSqliteTrafficStore(db: Database): TrafficStore {
  return {
    async add(runtimeId, version, samples) {
      db.transaction(() => {
        for (const sample of samples) {
          const scope = scopeOf(db, runtimeId, version, sample)
          if (scope === null) continue
          for (const { stepMs } of TRAFFIC_RESOLUTIONS)
            addToStep(db, scope, stepMs, stepBegin(sample.at, stepMs), sample)
        }
      })
    },
    async read({ runtimeId, version, from, to, stepMs }) {
      checkStep(stepMs)
      const rows = db.all<SampleRow>(
        `SELECT s.workflow, s.node, s.from_node, t.at_ms, t.calls, t.errors, t.times, t.queued_max
         FROM traffic_scopes s JOIN traffic t ON t.scope = s.seq
         WHERE s.runtime_id = ? AND s.version = ? AND t.step_ms = ? AND t.at_ms >= ? AND t.at_ms < ?
         ORDER BY t.at_ms, s.seq LIMIT ?`,
        runtimeId,
        version,
        stepMs,
        from.getTime(),
        to.getTime(),
        TRAFFIC_SAMPLES_MAX + 1,
      )
      checkSamples(rows.length)
      return rows.map(toSample)
    },
    async expire(now) {
      let removed = 0
      for (const { stepMs, keepMs } of TRAFFIC_RESOLUTIONS)
        removed += await removeSteps(db, stepMs, now.getTime() - keepMs)
      db.run(
        'DELETE FROM traffic_scopes AS s WHERE NOT EXISTS (SELECT 1 FROM traffic WHERE scope = s.seq)',
      )
      return removed
    },
  }
}

/** The row of a scope, made when it is new; null = there are too many. */
function scopeOf(
  db: Database,
  runtimeId: string,
  version: string,
  { workflow, node, from }: TrafficScope,
): number | null {
  const key = [runtimeId, version, workflow, node ?? '', from ?? ''] as const
  const find = () =>
    db.get<Row & { seq: number }>(
      `SELECT seq FROM traffic_scopes
       WHERE runtime_id = ? AND version = ? AND workflow = ? AND node = ? AND from_node = ?`,
      ...key,
    )?.seq ?? null
  const known = find()
  if (known !== null) return known
  const count = db.get<Row & { scopes: number }>(
    'SELECT count(*) AS scopes FROM traffic_scopes WHERE runtime_id = ? AND version = ?',
    runtimeId,
    version,
  )
  if ((count?.scopes ?? 0) >= TRAFFIC_SCOPES_MAX) return null
  db.run(
    'INSERT INTO traffic_scopes (runtime_id, version, workflow, node, from_node) VALUES (?, ?, ?, ?, ?)',
    ...key,
  )
  return find()
}

function addToStep(
  db: Database,
  scope: number,
  stepMs: number,
  atMs: number,
  counts: TrafficCounts,
): void {
  const row = db.get<CountsRow>(
    'SELECT calls, errors, times, queued_max FROM traffic WHERE scope = ? AND step_ms = ? AND at_ms = ?',
    scope,
    stepMs,
    atMs,
  )
  const sum = row === null ? counts : addCounts(toCounts(row), counts)
  db.run(
    `INSERT INTO traffic (scope, step_ms, at_ms, calls, errors, times, queued_max) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET calls = excluded.calls, errors = excluded.errors, times = excluded.times,
       queued_max = excluded.queued_max`,
    scope,
    stepMs,
    atMs,
    sum.calls,
    sum.errors,
    JSON.stringify(sum.times),
    sum.queuedMax ?? 0,
  )
}

function toCounts({ calls, errors, times, queued_max: queuedMax }: CountsRow): TrafficCounts {
  const counts = { calls, errors, times: JSON.parse(times) as TrafficCounts['times'] }
  return queuedMax === 0 ? counts : { ...counts, queuedMax }
}

function toSample(row: SampleRow): TrafficSample {
  return {
    workflow: row.workflow,
    node: row.node === '' ? null : row.node,
    from: row.from_node === '' ? null : row.from_node,
    at: new Date(row.at_ms),
    ...toCounts(row),
  }
}

async function removeSteps(db: Database, stepMs: number, beforeMs: number): Promise<number> {
  let removed = 0
  for (;;) {
    const slice = db.run(
      `DELETE FROM traffic WHERE seq IN (
         SELECT seq FROM traffic WHERE step_ms = ? AND at_ms < ? LIMIT ${REMOVAL_ROWS})`,
      stepMs,
      beforeMs,
    )
    removed += slice
    if (slice < REMOVAL_ROWS) return removed
    await nextTurn()
  }
}
