import type { SQLInputValue } from 'node:sqlite'
import {
  SAMPLES_PER_EDGE_MAX,
  type MessagePart,
  type MessageSample,
  type SampleQuery,
  type SampleStore,
} from '../ports/sample-store.ts'
import { REQUEST_STEPS_MAX } from '../ports/request-store.ts'
import type { Database, Row } from './database.ts'

type SamplingRow = Row & { runtime_id: string; version: string; until_ms: number }
type SampleRow = Row & {
  request_id: string
  step_id: string
  workflow: string
  node: string
  from_node: string
  at_ms: number
  input_type: string
  input_bytes: number
  input: Uint8Array
  output_type: string | null
  output_bytes: number | null
  output: Uint8Array | null
}

export function createSqliteSampleStore(db: Database): SampleStore {
  return {
    async setSampling(runtimeId, version, until) {
      if (until === null) return endSampling(db, runtimeId, version)
      db.run(
        `INSERT INTO samplings (runtime_id, version, until_ms) VALUES (?, ?, ?)
         ON CONFLICT (runtime_id, version) DO UPDATE SET until_ms = excluded.until_ms`,
        runtimeId,
        version,
        until.getTime(),
      )
    },
    async samplings(now) {
      return db
        .all<SamplingRow>('SELECT * FROM samplings WHERE until_ms > ?', now.getTime())
        .map((row) => ({
          runtimeId: row.runtime_id,
          version: row.version,
          until: new Date(row.until_ms),
        }))
    },
    async samplingUntil(runtimeId, version, now) {
      const row = db.get<SamplingRow>(
        'SELECT * FROM samplings WHERE runtime_id = ? AND version = ? AND until_ms > ?',
        runtimeId,
        version,
        now.getTime(),
      )
      return row === null ? null : new Date(row.until_ms)
    },
    async add(runtimeId, version, samples) {
      db.transaction(() => {
        for (const sample of samples) insert(db, runtimeId, version, sample)
        const edges = new Map(
          samples.map((one) => [`${one.workflow}/${one.fromNode}/${one.node}`, one]),
        )
        for (const edge of edges.values()) trimEdge(db, runtimeId, version, edge)
      })
    },
    async list(runtimeId, version, query) {
      const { sql, params } = toFilter(query)
      return db
        .all<SampleRow>(
          `SELECT * FROM message_samples WHERE runtime_id = ? AND version = ? AND ${sql}
           ORDER BY seq DESC LIMIT ?`,
          runtimeId,
          version,
          ...params,
          'limit' in query ? query.limit : REQUEST_STEPS_MAX,
        )
        .map(toSample)
    },
    async remove(runtimeId, version) {
      db.run('DELETE FROM message_samples WHERE runtime_id = ? AND version = ?', runtimeId, version)
      endSampling(db, runtimeId, version)
    },
    async expire(olderThan, now) {
      db.run('DELETE FROM samplings WHERE until_ms <= ?', now.getTime())
      return db.run('DELETE FROM message_samples WHERE at_ms < ?', olderThan.getTime())
    },
  }
}

function endSampling(db: Database, runtimeId: string, version: string): void {
  db.run('DELETE FROM samplings WHERE runtime_id = ? AND version = ?', runtimeId, version)
}

function insert(db: Database, runtimeId: string, version: string, sample: MessageSample): void {
  const { input, output } = sample
  db.run(
    `INSERT INTO message_samples (runtime_id, version, request_id, step_id, workflow, node, from_node, at_ms,
       input_type, input_bytes, input, output_type, output_bytes, output)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    runtimeId,
    version,
    sample.requestId,
    sample.stepId,
    sample.workflow,
    sample.node,
    sample.fromNode,
    sample.at.getTime(),
    input.typeName,
    input.bytes,
    input.data,
    output?.typeName ?? null,
    output?.bytes ?? null,
    output?.data ?? null,
  )
}

function trimEdge(db: Database, runtimeId: string, version: string, edge: MessageSample): void {
  const where =
    'runtime_id = ?1 AND version = ?2 AND workflow = ?3 AND node = ?4 AND from_node = ?5'
  db.run(
    `DELETE FROM message_samples WHERE ${where} AND seq <= (
       SELECT seq FROM message_samples WHERE ${where} ORDER BY seq DESC LIMIT 1 OFFSET ?6)`,
    runtimeId,
    version,
    edge.workflow,
    edge.node,
    edge.fromNode,
    SAMPLES_PER_EDGE_MAX,
  )
}

function toFilter(query: SampleQuery): { sql: string; params: SQLInputValue[] } {
  if ('requestId' in query) return { sql: 'request_id = ?', params: [query.requestId] }
  const { workflow, node, fromNode } = query
  return fromNode === undefined
    ? { sql: 'workflow = ? AND node = ?', params: [workflow, node] }
    : { sql: 'workflow = ? AND node = ? AND from_node = ?', params: [workflow, node, fromNode] }
}

function toSample(row: SampleRow): MessageSample {
  const output: MessagePart | null =
    row.output === null
      ? null
      : {
          typeName: row.output_type ?? '',
          bytes: row.output_bytes ?? row.output.length,
          data: new Uint8Array(row.output),
        }
  return {
    requestId: row.request_id,
    stepId: row.step_id,
    workflow: row.workflow,
    node: row.node,
    fromNode: row.from_node,
    at: new Date(row.at_ms),
    input: {
      typeName: row.input_type,
      bytes: row.input_bytes,
      data: new Uint8Array(row.input),
    },
    output,
  }
}
