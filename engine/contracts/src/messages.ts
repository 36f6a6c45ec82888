/** JSON messages on control subjects and in the outputs stream; each is parsed where it arrives. */
import { z } from 'zod'

/**
 * A process says what it is: when it becomes ready, every two seconds, before it drains, and in answer to a ping
 * (a message on `controlSubject(v, 'ping')` is answered to its reply subject).
 */
export const Announcement = z.object({
  role: z.enum(['node', 'entrypoint']),
  runtimeId: z.string(),
  /** Null for the runtime's published entrypoint, which announces under every version it serves. */
  version: z.string().nullable(),
  workflow: z.string().nullable(),
  node: z.string().nullable(),
  replica: z.number(),
  /** New for each process: a second incarnation of a replica means that the first one is dead. */
  incarnation: z.string(),
  pid: z.number(),
  bundleDigest: z.string().nullable(),
  state: z.enum(['ready', 'draining']),
  /** Requests that were inside a handler when the previous incarnation of this replica died. */
  interrupted: z.array(z.string()),
  /** Entrypoints: where they listen. */
  address: z.string().nullable(),
})
export type Announcement = z.infer<typeof Announcement>

/** A replica's process is dead (said by the target, on `controlSubject(v, 'gone')`). */
export const DeathNotice = z.object({
  workflow: z.string(),
  node: z.string(),
  replica: z.number(),
  pid: z.number(),
  interrupted: z.array(z.string()),
  reason: z.string(),
})
export type DeathNotice = z.infer<typeof DeathNotice>

/** Nobody waits for these requests any more (on `controlSubject(v, 'cancel')`). */
export const Cancellation = z.object({ requestIds: z.array(z.string()) })
export type Cancellation = z.infer<typeof Cancellation>

/**
 * A request waits for nodes of the workflow that sleep (on `controlSubject(v, 'wake')`). Said again about every second
 * while it waits, because nobody answers.
 */
export const WakeCall = z.object({ workflow: z.string().max(63) })
export type WakeCall = z.infer<typeof WakeCall>

const Origin = {
  runtimeId: z.string(),
  version: z.string(),
  versionId: z.string(),
  /** Null when an entrypoint wrote it. */
  workflow: z.string().nullable(),
  workflowName: z.string().nullable(),
  node: z.string().nullable(),
  nodeName: z.string().nullable(),
  requestId: z.string().nullable(),
}

export const LOG_LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Every output has a deterministic id, so that writing it twice has one effect. */
export const LogRecord = z.object({
  kind: z.literal('log'),
  id: z.string(),
  /** RFC 3339, milliseconds. */
  date: z.string(),
  level: z.enum(LOG_LEVELS),
  message: z.string(),
  ...Origin,
})
export type LogRecord = z.infer<typeof LogRecord>

/** Of what each line of a batch gets: one message must not become a thousand large records. In UTF-16 code units. */
const Shared = z.string().max(200)
/** A message that is read makes so many records at once. */
const BATCH_LINES_MAX = 1_000
/** Lines of one node in one message on the subject of its logs; `logRecordsOf` makes records of it. */
export const LogBatch = z.object({
  kind: z.literal('logs'),
  /** A line's id is this and its number, so that it is the same whatever it is sent with. */
  idPrefix: Shared,
  runtimeId: Shared,
  version: Shared,
  versionId: Shared,
  workflow: Shared.nullable(),
  workflowName: Shared.nullable(),
  node: Shared.nullable(),
  nodeName: Shared.nullable(),
  /** Each: its number, date, level, message and request id, as in a `LogRecord`. */
  lines: z
    .array(
      z.tuple([z.int().min(0), z.string(), z.enum(LOG_LEVELS), z.string(), z.string().nullable()]),
    )
    .min(1)
    .max(BATCH_LINES_MAX),
})
export type LogBatch = z.infer<typeof LogBatch>

export const PredictionRecord = z.object({
  kind: z.literal('prediction'),
  id: z.string(),
  /** `YYYY-MM-DDTHH:MM:SS.ffffffZ` */
  date: z.string(),
  error: z.enum(['', 'missing_values', 'new_labels']),
  predictedValue: z.string(),
  trueValue: z.string(),
  extra: z.unknown(),
  ...Origin,
})
export type PredictionRecord = z.infer<typeof PredictionRecord>

export const DocumentRecord = z.object({
  kind: z.literal('document'),
  id: z.string(),
  collection: z.string(),
  document: z.record(z.string(), z.unknown()),
  ...Origin,
})
export type DocumentRecord = z.infer<typeof DocumentRecord>

export const MeasurementRecord = z.object({
  kind: z.literal('measurement'),
  id: z.string(),
  /** Nanoseconds since 1970, decimal digits (more than a double holds). */
  timeNs: z.string(),
  measurement: z.string(),
  fields: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  tags: z.record(z.string(), z.string()),
  ...Origin,
})
export type MeasurementRecord = z.infer<typeof MeasurementRecord>

export const OutputRecord = z.discriminatedUnion('kind', [
  LogRecord,
  PredictionRecord,
  DocumentRecord,
  MeasurementRecord,
])
export type OutputRecord = z.infer<typeof OutputRecord>

const LABELS_MAX = 8
/** A value of one of the few things that are counted, with what tells it from others of its name. */
const Sample = {
  name: z.string().regex(/^kre_[a-z0-9_]{1,60}$/),
  labels: z
    .record(z.string().regex(/^[a-z_]{1,32}$/), z.string().max(120))
    .refine((labels) => Object.keys(labels).length <= LABELS_MAX),
}
/** Of one process, of each kind: an entrypoint has some for every workflow that it has served. */
const SAMPLES_MAX = 20_000

/** What one process has counted since it started (on `metricsSubject`). */
export const MetricsReport = z.object({
  /** New for each process. */
  incarnation: z.string().max(64),
  startedUnixMs: z.number(),
  /** Only grow. */
  counters: z.array(z.object({ ...Sample, value: z.number() })).max(SAMPLES_MAX),
  /** As they are now. */
  gauges: z.array(z.object({ ...Sample, value: z.number() })).max(SAMPLES_MAX),
  histograms: z
    .array(
      z.object({
        ...Sample,
        /** Observations in each bucket of `HISTOGRAM_BOUNDS_S`, and above the last. */
        buckets: z.array(z.number()).max(64),
        /** In seconds. */
        sum: z.number(),
      }),
    )
    .max(SAMPLES_MAX),
})
export type MetricsReport = z.infer<typeof MetricsReport>

/** Answer to the subject in `STORED_REPLY_HEADER`. */
export const StoredReply = z.object({ success: z.boolean(), error: z.string().optional() })
export type StoredReply = z.infer<typeof StoredReply>

/** Answer of `dataSubject(rt, 'find')`. */
export const FindRequest = z.object({
  collection: z.string(),
  query: z.record(z.string(), z.unknown()),
})
export type FindRequest = z.infer<typeof FindRequest>
export const FindReply = z.discriminatedUnion('success', [
  z.object({ success: z.literal(true), documents: z.array(z.record(z.string(), z.unknown())) }),
  z.object({ success: z.literal(false), error: z.string() }),
])
export type FindReply = z.infer<typeof FindReply>
