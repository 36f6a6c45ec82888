import type { Migration } from './migrate.ts'

/**
 * Schema of `outputs.sqlite`: what nodes produced. `record` is the whole record as JSON;
 * the other columns are there to find it. One row per (runtime, version, record id), whatever is delivered how often.
 */
export const OUTPUT_MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE logs (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    id TEXT NOT NULL,
    date_ms INTEGER NOT NULL,
    workflow TEXT,
    node TEXT,
    level TEXT NOT NULL,
    request_id TEXT,
    record TEXT NOT NULL,
    UNIQUE (runtime_id, version, id)
  ) STRICT;
  CREATE INDEX logs_by_date ON logs (runtime_id, date_ms, seq);
  CREATE INDEX logs_by_request ON logs (runtime_id, request_id, date_ms, seq) WHERE request_id IS NOT NULL;
  CREATE INDEX logs_by_age ON logs (date_ms);

  CREATE TABLE predictions (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    id TEXT NOT NULL,
    date_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (runtime_id, version, id)
  ) STRICT;
  CREATE INDEX predictions_by_date ON predictions (runtime_id, version, date_ms, seq);

  CREATE TABLE measurements (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    id TEXT NOT NULL,
    measurement TEXT NOT NULL,
    date_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (runtime_id, version, id)
  ) STRICT;
  CREATE INDEX measurements_by_date ON measurements (runtime_id, version, measurement, date_ms, seq);
  CREATE INDEX measurements_by_age ON measurements (date_ms);

  CREATE TABLE documents (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    id TEXT NOT NULL,
    collection TEXT NOT NULL,
    document TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (runtime_id, version, id)
  ) STRICT;
  CREATE INDEX documents_by_collection ON documents (runtime_id, collection, seq);

  CREATE TABLE set_aside (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL,
    payload_bytes INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (runtime_id, id)
  ) STRICT;
  CREATE INDEX set_aside_by_runtime ON set_aside (runtime_id, seq);
  `,
]
