import { parseDocumentQuery } from '../outputs/document-query.ts'
import type { OutputStore } from '../ports/store.ts'
import { firstOf, type Keyed } from './mongo-databases.ts'
import { collectionName, PREDICTIONS } from './outputs/collection-name.ts'
import { findDocuments, SEARCH_MS_MAX } from './outputs/find-documents.ts'
import {
  toDocumentRecord,
  toMeasurementRecord,
  toPredictionRecord,
  type DataDocument,
  type LogDocument,
  type MeasurementDocument,
} from './outputs/output-document.ts'
import { searchLogs } from './outputs/search-logs.ts'
import { listSetAside, setAside } from './outputs/set-aside.ts'
import { writeOutputs, type WriteDeps } from './outputs/write-outputs.ts'

export function createMongoOutputStore(deps: WriteDeps): OutputStore {
  const { databases, claims, logUsage } = deps
  const inData = (runtimeId: string, name: string) =>
    databases.data(runtimeId).collection<DataDocument>(name)
  const measurementsOf = (runtimeId: string) =>
    databases.runtime(runtimeId).collection<MeasurementDocument>('measurements')
  return {
    write: (records) => writeOutputs(deps, records),
    async findDocuments(runtimeId, collection, query, limit) {
      const conditions = parseDocumentQuery(query)
      const documents = inData(runtimeId, collectionName(collection))
      return findDocuments(documents, collection, conditions, limit)
    },
    async predictions(runtimeId, version, from, to, limit) {
      const found = inData(runtimeId, PREDICTIONS)
        .find(
          {
            '_kre.kind': { $eq: 'prediction' },
            versionName: { $eq: version },
            date: { $gte: from, $lte: to },
          },
          { maxTimeMS: SEARCH_MS_MAX },
        )
        .sort({ date: -1, '_kre.seq': -1 })
      return (await firstOf(found, limit)).map(toPredictionRecord)
    },
    async measurements(runtimeId, version, measurement, limit, range) {
      const found = measurementsOf(runtimeId)
        .find(
          {
            versionName: { $eq: version },
            measurement: { $eq: measurement },
            ...(range === undefined ? {} : { date: { $gte: range.from, $lte: range.to } }),
          },
          { maxTimeMS: SEARCH_MS_MAX },
        )
        .sort({ date: -1, seq: -1 })
      return (await firstOf(found, limit)).map(toMeasurementRecord)
    },
    async measurementNames(runtimeId, version, limit) {
      if (limit < 1) return []
      const names = measurementsOf(runtimeId).aggregate<Keyed>(
        [
          { $match: { versionName: { $eq: version } } },
          { $group: { _id: '$measurement' } },
          { $sort: { _id: 1 } },
          { $limit: limit },
        ],
        { maxTimeMS: SEARCH_MS_MAX },
      )
      return (await names.toArray()).map(({ _id }) => _id)
    },
    async documents(runtimeId, collection, limit) {
      const found = inData(runtimeId, collectionName(collection))
        .find({ '_kre.kind': { $eq: 'document' }, '_kre.collection': { $eq: collection } })
        .sort({ '_kre.seq': -1 })
      return (await firstOf(found, limit)).map(toDocumentRecord)
    },
    logs: (query) =>
      searchLogs(databases.runtime(query.runtimeId).collection<LogDocument>('logs'), query),
    setAside: (messages) => setAside(deps, messages),
    listSetAside: (runtimeId, limit) => listSetAside(databases, runtimeId, limit),
    async expire(olderThan) {
      let removed = 0
      const isOld = { date: { $lt: olderThan } }
      for (const runtimeId of await claims.runtimeIds()) {
        removed += (await logUsage.remove(runtimeId, isOld)).lines
        removed += (await measurementsOf(runtimeId).deleteMany(isOld)).deletedCount
      }
      return removed
    },
  }
}
