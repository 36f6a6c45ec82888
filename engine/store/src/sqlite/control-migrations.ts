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
  `
  CREATE TABLE users (
    email TEXT PRIMARY KEY,
    access_level TEXT CHECK (access_level IN ('VIEWER', 'MANAGER', 'ADMIN')),
    created_at INTEGER NOT NULL,
    last_activity_at INTEGER,
    removed_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE user_grants (
    email TEXT NOT NULL REFERENCES users (email),
    runtime_id TEXT NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    access_level TEXT NOT NULL CHECK (access_level IN ('VIEWER', 'MANAGER')),
    PRIMARY KEY (email, runtime_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX user_grants_by_runtime ON user_grants (runtime_id);

  ALTER TABLE logins RENAME TO earlier_logins;
  CREATE TABLE logins (
    token_hash TEXT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    method TEXT NOT NULL,
    api_token_id TEXT,
    user_agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX logins_by_user ON logins (user);
  INSERT INTO logins
    SELECT token_hash, lower(hex(randomblob(8))), user, 'link', NULL, '', created_at, expires_at, created_at
    FROM earlier_logins;
  DROP TABLE earlier_logins;

  DROP TABLE sign_in_links;
  CREATE TABLE sign_in_links (
    link_hash TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    browser_hash TEXT,
    code_hash TEXT,
    code_tries INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'full')),
    runtime_ids TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    UNIQUE (user, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL) STRICT;

  CREATE TABLE attempts (
    key TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX attempts_by_begin ON attempts (began_at, key);
  CREATE INDEX attempts_by_end ON attempts (expires_at);
  `,
  `
  CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    mac TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE audit_anchor (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    mac TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT,
    place TEXT,
    token INTEGER NOT NULL,
    beat INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE placements ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
  `,
]
