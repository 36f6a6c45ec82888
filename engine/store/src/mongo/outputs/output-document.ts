/**
 * Outputs as documents and back. Fields have KRE's names; what it takes to give the record back exactly, and to find
 * it, is in `_kre`. A record that no MongoDB document can hold as it is has its JSON there instead (`opaque`).
 */
import {
  HOUR_MS,
  type DocumentRecord,
  type LogRecord,
  type MeasurementRecord,
  type OutputRecord,
  type PredictionRecord,
} from '@kre/contracts'
import { measurementMs } from '../../outputs/check-output.ts'
import { labelOf } from '../../outputs/label.ts'
import type { Keyed } from '../mongo-databases.ts'
import { collectionName, PREDICTIONS } from './collection-name.ts'
import { isNative, isNativeDocument } from './is-native.ts'
import { recordKey } from './record-key.ts'

export type LogDocument = Keyed & {
  date: Date
  seq: number
  level: LogRecord['level']
  message: string
  workflowId: string | null
  workflowName: string | null
  nodeId: string | null
  nodeName: string | null
  versionId: string
  versionName: string
  requestId: string | null
  recordId: string
  /** Of the record as JSON in UTF-8. */
  bytes: number
  /** The date as it was written, where its text is another one than that of `date`. */
  dateText?: string
  /** The whole record as JSON, where the fields do not hold it exactly. */
  record?: string
}

export type MeasurementDocument = Keyed & {
  date: Date
  seq: number
  measurement: string
  versionName: string
  /** JSON. */
  record: string
}

/** A prediction or a user's document: native fields beside `_kre`. */
export type DataDocument = Keyed &
  Record<string, unknown> & {
    _kre: {
      kind: 'prediction' | 'document'
      seq: number
      collection: string
      /** The record as JSON; of a native document without the document. */
      record: string
      /** `_id` for those who ask for documents. */
      _id?: unknown
      isOpaque: boolean
      /** Of a prediction: what it is counted by. */
      counted?: { trueLabel: string; predictedLabel: string; isHit: boolean; hour: number }
    }
  }

/** Where a record is stored, and as what. */
export type StoredOutput =
  | { database: 'runtime'; collection: 'logs'; document: LogDocument }
  | { database: 'runtime'; collection: 'measurements'; document: MeasurementDocument }
  | { database: 'data'; collection: string; document: DataDocument }

/**
 * @param json the record as JSON.
 * @param form `opaque` for a record whose native form the server refused.
 */
export function toStored(
  record: OutputRecord,
  json: string,
  seq: number,
  form: 'native' | 'opaque' = 'native',
): StoredOutput {
  const _id = recordKey(record)
  switch (record.kind) {
    case 'log':
      return { database: 'runtime', collection: 'logs', document: toLog(record, json, _id, seq) }
    case 'measurement': {
      const { measurement, version: versionName, timeNs } = record
      const date = new Date(measurementMs(timeNs) ?? 0)
      const document = { _id, date, seq, measurement, versionName, record: json }
      return { database: 'runtime', collection: 'measurements', document }
    }
    case 'prediction': {
      const document = toPrediction(record, json, _id, seq, form)
      return { database: 'data', collection: PREDICTIONS, document }
    }
    case 'document': {
      const document = toDocument(record, json, _id, seq, form)
      return { database: 'data', collection: collectionName(record.collection), document }
    }
  }
}

function toLog(record: LogRecord, json: string, _id: string, seq: number): LogDocument {
  const date = new Date(record.date)
  return {
    _id,
    date,
    seq,
    level: record.level,
    message: record.message,
    workflowId: record.workflow,
    workflowName: record.workflowName,
    nodeId: record.node,
    nodeName: record.nodeName,
    versionId: record.versionId,
    versionName: record.version,
    requestId: record.requestId,
    recordId: record.id,
    bytes: Buffer.byteLength(json),
    ...(date.toISOString() === record.date ? {} : { dateText: record.date }),
    ...(isNative(record) ? {} : { record: json }),
  }
}

function toPrediction(
  record: PredictionRecord,
  json: string,
  _id: string,
  seq: number,
  form: 'native' | 'opaque',
): DataDocument {
  const { error, predictedValue, trueValue, extra, workflowName, nodeName, requestId } = record
  const { version: versionName, versionId } = record
  const isOpaque = form === 'opaque' || !isNative(extra)
  return {
    _id,
    date: new Date(record.date),
    error,
    predictedValue,
    trueValue,
    ...(isOpaque ? {} : { extra }),
    versionId,
    versionName,
    workflowName,
    nodeName,
    requestId,
    _kre: {
      kind: 'prediction',
      seq,
      collection: PREDICTIONS,
      record: json,
      isOpaque,
      counted: countedOf(record),
    },
  }
}

function countedOf({ date, trueValue, predictedValue }: PredictionRecord) {
  const trueLabel = labelOf(trueValue)
  const predictedLabel = labelOf(predictedValue)
  const hour = Math.floor(Date.parse(date) / HOUR_MS)
  return { trueLabel, predictedLabel, isHit: trueLabel === predictedLabel, hour }
}

function toDocument(
  record: DocumentRecord,
  json: string,
  _id: string,
  seq: number,
  form: 'native' | 'opaque',
): DataDocument {
  const { document, ...rest } = record
  const isOpaque = form === 'opaque' || !isNativeDocument(document)
  const engine = { kind: 'document', seq, collection: record.collection, isOpaque } as const
  if (isOpaque) return { _id, _kre: { ...engine, record: json } }
  const { _id: own, ...fields } = document
  const visibleId = Object.hasOwn(document, '_id') ? own : record.id
  return { _id, ...fields, _kre: { ...engine, record: JSON.stringify(rest), _id: visibleId } }
}

export function toLogRecord(runtimeId: string, document: LogDocument): LogRecord {
  if (document.record !== undefined) return JSON.parse(document.record) as LogRecord
  return {
    kind: 'log',
    id: document.recordId,
    date: document.dateText ?? document.date.toISOString(),
    level: document.level,
    message: document.message,
    runtimeId,
    version: document.versionName,
    versionId: document.versionId,
    workflow: document.workflowId,
    workflowName: document.workflowName,
    node: document.nodeId,
    nodeName: document.nodeName,
    requestId: document.requestId,
  }
}

export function toMeasurementRecord({ record }: MeasurementDocument): MeasurementRecord {
  return JSON.parse(record) as MeasurementRecord
}

export function toPredictionRecord({ _kre }: DataDocument): PredictionRecord {
  return JSON.parse(_kre.record) as PredictionRecord
}

/** The record as it was written, without the `_id` that storing gave it. */
export function toDocumentRecord(stored: DataDocument): DocumentRecord {
  const { _id, _kre, ...fields } = stored
  if (_kre.isOpaque) return JSON.parse(_kre.record) as DocumentRecord
  const rest = JSON.parse(_kre.record) as Omit<DocumentRecord, 'document'>
  return { ...rest, document: _kre._id === rest.id ? fields : { _id: _kre._id, ...fields } }
}

/** A document as those see it who search for documents. */
export function toVisibleDocument(stored: DataDocument): Record<string, unknown> {
  const { id, document } = toDocumentRecord(stored)
  return Object.hasOwn(document, '_id') ? document : { _id: id, ...document }
}
