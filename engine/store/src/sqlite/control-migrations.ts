import type { Migration } from './migrate.ts'

/** Schema of `kre.sqlite`: what people decided and what was last observed. Dates are milliseconds since 1970. */
export const CONTROL_MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE runtimes (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
  ) STRICT;

  CREATE TABLE versions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    runtime_id TEXT NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    bundle_digest TEXT NOT NULL,
    bundle_bytes INTEGER NOT NULL,
    facts TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    published_at INTEGER,
    published_by TEXT,
    UNIQUE (runtime_id, name)
  ) STRICT;
  CREATE INDEX versions_by_bundle ON versions (bundle_digest);

  CREATE TABLE releases (
    runtime_id TEXT NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    running TEXT NOT NULL,
    published TEXT,
    cause TEXT NOT NULL,
    PRIMARY KEY (runtime_id, generation)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE released_versions (
    runtime_id TEXT NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    PRIMARY KEY (runtime_id, version)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE config_entries (
    runtime_id TEXT NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    key TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('VARIABLE', 'FILE')),
    value TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (runtime_id, version, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE config_generations (
    runtime_id TEXT NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (runtime_id, version)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE placements (
    runtime_id TEXT PRIMARY KEY REFERENCES runtimes (id) ON DELETE CASCADE,
    placement TEXT NOT NULL
  ) STRICT;

  CREATE TABLE sign_in_links (
    link_hash TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE logins (
    token_hash TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
]
