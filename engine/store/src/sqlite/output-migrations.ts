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
  // Searches read one index and no row that they don't return; sizes are known without a sum; predictions are counted
  // where they are.
  `
  ALTER TABLE logs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE logs ADD COLUMN folded TEXT NOT NULL DEFAULT '';
  UPDATE logs SET bytes = octet_length(record), folded = lower(record ->> '$.message');
  DROP INDEX logs_by_age;
  CREATE INDEX logs_by_version ON logs (runtime_id, version, date_ms, seq, level, node, workflow, folded);
  CREATE TABLE log_usage (
    runtime_id TEXT PRIMARY KEY,
    lines INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO log_usage SELECT runtime_id, count(*), sum(bytes) FROM logs GROUP BY runtime_id;
  CREATE TABLE log_limits (
    runtime_id TEXT PRIMARY KEY,
    age_ms INTEGER,
    bytes_max INTEGER
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE predictions ADD COLUMN error TEXT NOT NULL DEFAULT '';
  ALTER TABLE predictions ADD COLUMN true_value TEXT NOT NULL DEFAULT '';
  ALTER TABLE predictions ADD COLUMN predicted_value TEXT NOT NULL DEFAULT '';
  UPDATE predictions SET error = record ->> '$.error',
    true_value = substr(record ->> '$.trueValue', 1, 200),
    predicted_value = substr(record ->> '$.predictedValue', 1, 200);
  DROP INDEX predictions_by_date;
  CREATE INDEX predictions_by_outcome
    ON predictions (runtime_id, version, date_ms, seq, error, true_value, predicted_value);

  CREATE TABLE traffic_scopes (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    workflow TEXT NOT NULL,
    node TEXT NOT NULL,
    from_node TEXT NOT NULL,
    UNIQUE (runtime_id, version, workflow, node, from_node)
  ) STRICT;
  CREATE TABLE traffic (
    seq INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL REFERENCES traffic_scopes (seq) ON DELETE CASCADE,
    step_ms INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    times TEXT NOT NULL,
    UNIQUE (scope, step_ms, at_ms)
  ) STRICT;
  CREATE INDEX traffic_by_age ON traffic (step_ms, at_ms);

  CREATE TABLE requests (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    id TEXT NOT NULL,
    kept TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    steps TEXT NOT NULL,
    UNIQUE (runtime_id, id, version)
  ) STRICT;
  CREATE INDEX requests_by_start ON requests (runtime_id, version, started_ms, seq);
  CREATE INDEX requests_by_reason ON requests (runtime_id, version, kept, seq);
  CREATE INDEX requests_by_age ON requests (started_ms);
  `,
  `
  CREATE TABLE heard_totals (
    process TEXT PRIMARY KEY,
    heard_ms INTEGER NOT NULL,
    totals TEXT NOT NULL
  ) STRICT;
  CREATE INDEX heard_totals_by_age ON heard_totals (heard_ms);
  `,
  `
  CREATE TABLE samplings (
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (runtime_id, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE message_samples (
    seq INTEGER PRIMARY KEY,
    runtime_id TEXT NOT NULL,
    version TEXT NOT NULL,
    request_id TEXT NOT NULL,
    step_id TEXT NOT NULL,
    workflow TEXT NOT NULL,
    node TEXT NOT NULL,
    from_node TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    input_type TEXT NOT NULL,
    input_bytes INTEGER NOT NULL,
    input BLOB NOT NULL,
    output_type TEXT,
    output_bytes INTEGER,
    output BLOB,
    UNIQUE (runtime_id, version, request_id, step_id)
  ) STRICT;
  CREATE INDEX message_samples_by_edge
    ON message_samples (runtime_id, version, workflow, node, from_node, seq);
  CREATE INDEX message_samples_by_age ON message_samples (at_ms);
  `,
  'ALTER TABLE traffic ADD COLUMN queued_max REAL NOT NULL DEFAULT 0',
]
