import type { Migration } from '../migrate.ts'

/**
 * Schema of `audit.sqlite`, which has nothing but the chain of the audit log. Nothing refers to other tables: what was
 * done to a runtime outlives the runtime.
 */
export const AUDIT_MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE links (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('intent', 'outcome', 'notice')),
    intent_seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    type TEXT NOT NULL,
    runtime_id TEXT,
    version_id TEXT,
    key_id TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX links_outcome_of_intent ON links (intent_seq) WHERE kind = 'outcome';
  -- Holds all that lists filter by, so that a filter without a hit reads no row.
  CREATE INDEX links_for_lists ON links (seq, at, actor, type, runtime_id, version_id)
    WHERE kind = 'outcome';
  `,
]
