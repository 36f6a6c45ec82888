import type { SQLInputValue } from 'node:sqlite'
import {
  REQUEST_STEPS_MAX,
  REQUESTS_KEPT_MAX,
  REQUESTS_LISTED_MAX,
  type KeptRequest,
  type RequestQuery,
  type RequestStep,
  type RequestStore,
} from '../ports/request-store.ts'
import type { Database, Row } from './database.ts'

type Request = Omit<KeptRequest, 'steps'>
type RequestRow = Row & { record: string }
type StepsRow = Row & { seq: number; steps: string }

export function createSqliteRequestStore(db: Database): RequestStore {
  return {
    async keep(requests) {
      db.transaction(() => {
        for (const request of requests) insert(db, request)
        const rings = new Map(
          requests.map((one) => [`${one.runtimeId}/${one.version}/${one.kept}`, one]),
        )
        for (const one of rings.values()) trimRing(db, one)
      })
    },
    async addSteps(runtimeId, version, steps) {
      db.transaction(() => {
        for (const [requestId, own] of Map.groupBy(steps, (one) => one.requestId))
          addToRequest(
            db,
            [runtimeId, requestId, version],
            own.map(({ step }) => step),
          )
      })
    },
    async list(query) {
      const { sql, params } = toFilter(query)
      return db
        .all<RequestRow>(
          `SELECT record FROM requests WHERE runtime_id = ? AND version = ?${sql}
           ORDER BY started_ms DESC, seq DESC LIMIT ?`,
          query.runtimeId,
          query.version,
          ...params,
          Math.min(query.limit, REQUESTS_LISTED_MAX),
        )
        .map(({ record }) => toRequest(record))
    },
    async find(runtimeId, requestId) {
      const row = db.get<RequestRow & { steps: string }>(
        'SELECT record, steps FROM requests WHERE runtime_id = ? AND id = ? ORDER BY seq DESC LIMIT 1',
        runtimeId,
        requestId,
      )
      return row === null ? null : { ...toRequest(row.record), steps: toSteps(row.steps) }
    },
    async expire(olderThan) {
      return db.run('DELETE FROM requests WHERE started_ms < ?', olderThan.getTime())
    },
  }
}

function insert(db: Database, request: Request): void {
  db.run(
    `INSERT INTO requests (runtime_id, version, id, kept, started_ms, record, steps)
     VALUES (?, ?, ?, ?, ?, ?, '[]') ON CONFLICT DO NOTHING`,
    request.runtimeId,
    request.version,
    request.id,
    request.kept,
    request.startedAt.getTime(),
    JSON.stringify(request),
  )
}

function trimRing(db: Database, { runtimeId, version, kept }: Request): void {
  db.run(
    `DELETE FROM requests WHERE runtime_id = ?1 AND version = ?2 AND kept = ?3 AND seq <= (
       SELECT seq FROM requests WHERE runtime_id = ?1 AND version = ?2 AND kept = ?3
       ORDER BY seq DESC LIMIT 1 OFFSET ?4)`,
    runtimeId,
    version,
    kept,
    REQUESTS_KEPT_MAX[kept],
  )
}

function addToRequest(
  db: Database,
  key: readonly [runtimeId: string, requestId: string, version: string],
  steps: readonly RequestStep[],
): void {
  const row = db.get<StepsRow>(
    'SELECT seq, steps FROM requests WHERE runtime_id = ? AND id = ? AND version = ?',
    ...key,
  )
  if (row === null) return
  const known = toSteps(row.steps)
  const ids = new Set(known.map(({ id }) => id))
  for (const step of steps) {
    if (ids.has(step.id) || known.length >= REQUEST_STEPS_MAX) continue
    ids.add(step.id)
    known.push(step)
  }
  known.sort((a, b) => a.arrivedAt.getTime() - b.arrivedAt.getTime())
  db.run('UPDATE requests SET steps = ? WHERE seq = ?', JSON.stringify(known), row.seq)
}

function toFilter(query: RequestQuery): { sql: string; params: SQLInputValue[] } {
  const parts: [sql: string, param: SQLInputValue][] = []
  const field = (name: string) => `record ->> '$.${name}'`
  if (query.workflow !== undefined) parts.push([`${field('workflow')} = ?`, query.workflow])
  if (query.statuses !== undefined)
    parts.push([
      `${field('status')} IN (SELECT value FROM json_each(?))`,
      JSON.stringify(query.statuses),
    ])
  if (query.kept !== undefined)
    parts.push(['kept IN (SELECT value FROM json_each(?))', JSON.stringify(query.kept)])
  if (query.elapsedMsMin !== undefined)
    parts.push([`${field('elapsedMs')} >= ?`, query.elapsedMsMin])
  if (query.from !== undefined) parts.push(['started_ms >= ?', query.from.getTime()])
  if (query.to !== undefined) parts.push(['started_ms <= ?', query.to.getTime()])
  return {
    sql: parts.map(([sql]) => ` AND ${sql}`).join(''),
    params: parts.map(([, param]) => param),
  }
}

function toRequest(record: string): Request {
  const request = JSON.parse(record) as Request & { startedAt: string }
  return { ...request, startedAt: new Date(request.startedAt) }
}

function toSteps(text: string): RequestStep[] {
  const steps = JSON.parse(text) as (RequestStep & { arrivedAt: string })[]
  return steps.map((step) => ({ ...step, arrivedAt: new Date(step.arrivedAt) }))
}
