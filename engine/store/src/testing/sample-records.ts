/** Small records of runtime `demo`, version `v1`, for tests of stores and of what writes into them. */
import { sampleFacts } from '@kre/contracts/testing'
import type {
  DocumentRecord,
  LogRecord,
  MeasurementRecord,
  PredictionRecord,
  Release,
} from '@kre/contracts'
import type { Runtime, Version } from '../ports/store.ts'

const origin = {
  runtimeId: 'demo',
  version: 'v1',
  versionId: 'version-1',
  workflow: 'wf',
  workflowName: 'wf',
  node: 'a',
  nodeName: 'a',
  requestId: 'r1',
}

export function sampleRuntime(id = 'demo', changes: Partial<Runtime> = {}): Runtime {
  const createdAt = new Date('2026-01-01T00:00:00.000Z')
  return { id, name: `Runtime ${id}`, description: '', createdAt, createdBy: 'ada@kre', ...changes }
}

export function sampleVersion(name = 'v1', changes: Partial<Version> = {}): Version {
  return {
    id: `id-of-${name}`,
    runtimeId: 'demo',
    name,
    description: 'a sample',
    bundleDigest: 'a'.repeat(64),
    bundleBytes: 10,
    facts: sampleFacts(undefined, name),
    createdAt: new Date('2026-01-01T00:00:00.000Z'),
    createdBy: 'ada@kre',
    publishedAt: null,
    publishedBy: null,
    ...changes,
  }
}

export function sampleRelease(generation: number, changes: Partial<Release> = {}): Release {
  return {
    runtimeId: 'demo',
    generation,
    running: [{ version: `v${generation}`, configGeneration: 0 }],
    published: null,
    cause: {
      operation: 'start',
      version: `v${generation}`,
      by: 'ada@kre',
      comment: '',
      at: new Date('2026-01-01T00:00:00.000Z'),
    },
    ...changes,
  }
}

export function sampleLog(id: string, changes: Partial<LogRecord> = {}): LogRecord {
  return {
    kind: 'log',
    id,
    date: '2026-01-01T10:00:00.000Z',
    level: 'INFO',
    message: `message ${id}`,
    ...origin,
    ...changes,
  }
}

export function sampleDocument(
  id: string,
  document: Record<string, unknown>,
  changes: Partial<DocumentRecord> = {},
): DocumentRecord {
  return { kind: 'document', id, collection: 'results', document, ...origin, ...changes }
}

export function samplePrediction(
  id: string,
  changes: Partial<PredictionRecord> = {},
): PredictionRecord {
  return {
    kind: 'prediction',
    id,
    date: '2026-01-01T10:00:00.000001Z',
    error: '',
    predictedValue: 'cat',
    trueValue: 'dog',
    extra: { score: 0.5 },
    ...origin,
    ...changes,
  }
}

export function sampleMeasurement(
  id: string,
  changes: Partial<MeasurementRecord> = {},
): MeasurementRecord {
  return {
    kind: 'measurement',
    id,
    timeNs: '1767261600000000001',
    measurement: 'elapsed',
    fields: { elapsed_ms: 1.5, success: true },
    tags: { from_node: 'entrypoint' },
    ...origin,
    ...changes,
  }
}
