import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  DocumentRecord,
  MeasurementRecord,
  OutputRecord,
  PredictionRecord,
} from '@kre/contracts'
import { measurementMs, refusalOf, refusedBytes } from '../outputs/check-output.ts'
import { labelOf } from '../outputs/label.ts'
import { parseDocumentQuery } from '../outputs/document-query.ts'
import {
  SET_ASIDE_MESSAGES_MAX,
  SET_ASIDE_PAYLOAD_BYTES_MAX,
  type OutputStore,
  type SetAsideMessage,
  type WriteOutcome,
} from '../ports/store.ts'
import type { LogUsage } from '../ports/log-retention-store.ts'
import type { Database, Row } from './database.ts'
import { distinctValues } from './distinct-values.ts'
import { findDocuments } from './find-documents.ts'
import { searchLogs } from './log-search.ts'
import { countLogs, removeOldestLogs, runtimesWithLogs } from './remove-logs.ts'

/** Rows removed before other work of the process gets its turn. */
const REMOVAL_ROWS = 2_000

type RecordRow = Row & { record: string }
type DocumentRow = RecordRow & { document: string }
type SetAsideRow = Row & {
  id: string
  runtime_id: string
  subject: string
  reason: string
  payload: Uint8Array
  payload_bytes: number
  at_ms: number
}

/** Outputs, and their removal with the runtime they belong to. */
export type SqliteOutputStore = OutputStore & {
  removeRuntime: (runtimeId: string) => Promise<void>
}

export function createSqliteOutputStore(db: Database): SqliteOutputStore {
  return {
    async write(records) {
      return db.transaction(() => {
        const usage = new Map<string, LogUsage>()
        const outcomes = records.map((record) => writeOne(db, record, usage))
        for (const [runtimeId, { lines, bytes }] of usage) countLogs(db, runtimeId, lines, bytes)
        return outcomes
      })
    },
    async findDocuments(runtimeId, collection, query, limit) {
      return findDocuments(db, { runtimeId, collection }, parseDocumentQuery(query), limit)
    },
    async predictions(runtimeId, version, from, to, limit) {
      return db
        .all<RecordRow>(
          `SELECT record FROM predictions WHERE runtime_id = ? AND version = ? AND date_ms BETWEEN ? AND ?
           ORDER BY date_ms DESC, seq DESC LIMIT ?`,
          runtimeId,
          version,
          from.getTime(),
          to.getTime(),
          limit,
        )
        .map((row) => JSON.parse(row.record) as PredictionRecord)
    },
    async measurements(runtimeId, version, measurement, limit, range) {
      return db
        .all<RecordRow>(
          `SELECT record FROM measurements WHERE runtime_id = ? AND version = ? AND measurement = ?
             AND date_ms BETWEEN ? AND ?
           ORDER BY date_ms DESC, seq DESC LIMIT ?`,
          runtimeId,
          version,
          measurement,
          range?.from.getTime() ?? Number.MIN_SAFE_INTEGER,
          range?.to.getTime() ?? Number.MAX_SAFE_INTEGER,
          limit,
        )
        .map((row) => JSON.parse(row.record) as MeasurementRecord)
    },
    async measurementNames(runtimeId, version, limit) {
      return distinctValues(db, MEASUREMENT_NAMES, [runtimeId, version], limit)
    },
    async documents(runtimeId, collection, limit) {
      return db
        .all<DocumentRow>(
          `SELECT record, document FROM documents WHERE runtime_id = ? AND collection = ?
           ORDER BY seq DESC LIMIT ?`,
          runtimeId,
          collection,
          limit,
        )
        .map(toDocumentRecord)
    },
    logs: (query) => searchLogs(db, query),
    async setAside(messages) {
      db.transaction(() => {
        for (const message of messages) insertSetAside(db, message)
        for (const runtimeId of new Set(messages.map((message) => message.runtimeId)))
          trimSetAside(db, runtimeId)
      })
    },
    async listSetAside(runtimeId, limit) {
      return db
        .all<SetAsideRow>(
          'SELECT * FROM set_aside WHERE runtime_id = ? ORDER BY seq DESC LIMIT ?',
          runtimeId,
          limit,
        )
        .map(toSetAside)
    },
    async expire(olderThan) {
      const before = olderThan.getTime()
      let removed = await removeInSlices(db, 'measurements', 'date_ms < ?', before)
      for (const runtimeId of runtimesWithLogs(db))
        removed += (await removeOldestLogs(db, runtimeId, { before })).lines
      return removed
    },
    async removeRuntime(runtimeId) {
      await removeInSlices(db, 'traffic', SCOPE_OF_RUNTIME, runtimeId)
      for (const table of [
        'logs',
        'predictions',
        'measurements',
        'documents',
        'set_aside',
        'traffic_scopes',
        'requests',
        'message_samples',
      ])
        await removeInSlices(db, table, 'runtime_id = ?', runtimeId)
      for (const table of ['log_usage', 'log_limits', 'samplings'])
        db.run(`DELETE FROM ${table} WHERE runtime_id = ?`, runtimeId)
    },
  }
}

const SCOPE_OF_RUNTIME = 'scope IN (SELECT seq FROM traffic_scopes WHERE runtime_id = ?)'
const MEASUREMENT_NAMES = {
  table: 'measurements',
  column: 'measurement',
  where: 'runtime_id = ? AND version = ?',
}

/** @param usage gets what was written of logs, by runtime. */
function writeOne(db: Database, record: OutputRecord, usage: Map<string, LogUsage>): WriteOutcome {
  const { id } = record
  const refusal = refusalOf(record)
  if (refusal !== null) return { id, stored: false, reason: refusal }
  const json = JSON.stringify(record)
  const bytes = Buffer.byteLength(json)
  const tooLarge = refusedBytes(bytes)
  if (tooLarge !== null) return { id, stored: false, reason: tooLarge }
  const isNew = insert(db, record, json, bytes) > 0
  if (isNew && record.kind === 'log') {
    const { lines, bytes: before } = usage.get(record.runtimeId) ?? { lines: 0, bytes: 0 }
    usage.set(record.runtimeId, { lines: lines + 1, bytes: before + bytes })
  }
  return { id, stored: true }
}

/** @returns rows written: none when the record is there already. */
function insert(db: Database, record: OutputRecord, json: string, bytes: number): number {
  const { runtimeId, version, id } = record
  switch (record.kind) {
    case 'log':
      return db.run(
        `INSERT INTO logs (runtime_id, version, id, date_ms, workflow, node, level, request_id, bytes, folded, record)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        runtimeId,
        version,
        id,
        Date.parse(record.date),
        record.workflow,
        record.node,
        record.level,
        record.requestId,
        bytes,
        record.message.toLowerCase(),
        json,
      )
    case 'prediction':
      return db.run(
        `INSERT INTO predictions (runtime_id, version, id, date_ms, error, true_value, predicted_value, record)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        runtimeId,
        version,
        id,
        Date.parse(record.date),
        record.error,
        labelOf(record.trueValue),
        labelOf(record.predictedValue),
        json,
      )
    case 'measurement':
      return db.run(
        `INSERT INTO measurements (runtime_id, version, id, measurement, date_ms, record)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        runtimeId,
        version,
        id,
        record.measurement,
        measurementMs(record.timeNs),
        json,
      )
    case 'document': {
      const { document, ...rest } = record
      return db.run(
        `INSERT INTO documents (runtime_id, version, id, collection, document, record)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        runtimeId,
        version,
        id,
        record.collection,
        JSON.stringify(Object.hasOwn(document, '_id') ? document : { _id: id, ...document }),
        JSON.stringify(rest),
      )
    }
  }
}

/** The record as it was written, without the `_id` that storing gave it. */
function toDocumentRecord(row: DocumentRow): DocumentRecord {
  const rest = JSON.parse(row.record) as Omit<DocumentRecord, 'document'>
  const document = JSON.parse(row.document) as Record<string, unknown>
  if (document['_id'] !== rest.id) return { ...rest, document }
  const { _id, ...own } = document
  return { ...rest, document: own }
}

function insertSetAside(db: Database, message: SetAsideMessage): void {
  db.run(
    `INSERT INTO set_aside (runtime_id, id, subject, reason, payload, payload_bytes, at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    message.runtimeId,
    message.id,
    message.subject,
    message.reason,
    message.payload.subarray(0, SET_ASIDE_PAYLOAD_BYTES_MAX),
    message.payloadBytes,
    message.at.getTime(),
  )
}

function trimSetAside(db: Database, runtimeId: string): void {
  db.run(
    `DELETE FROM set_aside WHERE runtime_id = ?1 AND seq <= (
       SELECT seq FROM set_aside WHERE runtime_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ${SET_ASIDE_MESSAGES_MAX})`,
    runtimeId,
  )
}

function toSetAside(row: SetAsideRow): SetAsideMessage {
  return {
    id: row.id,
    runtimeId: row.runtime_id,
    subject: row.subject,
    reason: row.reason,
    payload: row.payload,
    payloadBytes: row.payload_bytes,
    at: new Date(row.at_ms),
  }
}

async function removeInSlices(
  db: Database,
  table: string,
  condition: string,
  param: string | number,
): Promise<number> {
  let removed = 0
  for (;;) {
    const slice = db.run(
      `DELETE FROM ${table} WHERE seq IN (SELECT seq FROM ${table} WHERE ${condition} LIMIT ${REMOVAL_ROWS})`,
      param,
    )
    removed += slice
    if (slice < REMOVAL_ROWS) return removed
    await nextTurn()
  }
}
