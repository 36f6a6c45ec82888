import type { ApiToken, ApiTokenScope, ApiTokenStore } from '../../ports/identity-store.ts'
import type { Database, Row } from '../database.ts'
import { insertOnce } from './insert-once.ts'

type TokenRow = Row & {
  id: string
  user: string
  name: string
  token_hash: string
  scope: ApiTokenScope
  runtime_ids: string | null
  created_at: number
  expires_at: number
  used_at: number | null
}

export function createSqliteApiTokenStore(db: Database): ApiTokenStore {
  return {
    async create(token) {
      insertOnce('API Token name duplicated', () =>
        db.run(
          `INSERT INTO api_tokens
             (id, user, name, token_hash, scope, runtime_ids, created_at, expires_at, used_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          token.id,
          token.user,
          token.name,
          token.tokenHash,
          token.scope,
          token.runtimeIds === null ? null : JSON.stringify(token.runtimeIds),
          token.createdAt.getTime(),
          token.expiresAt.getTime(),
          token.usedAt?.getTime() ?? null,
        ),
      )
    },
    async find(id) {
      const row = db.get<TokenRow>('SELECT * FROM api_tokens WHERE id = ?', id)
      return row === null ? null : toToken(row)
    },
    async list(user) {
      return db
        .all<TokenRow>('SELECT * FROM api_tokens WHERE user = ? ORDER BY created_at, id', user)
        .map(toToken)
    },
    async touch(id, at) {
      db.run(
        'UPDATE api_tokens SET used_at = ?1 WHERE id = ?2 AND (used_at IS NULL OR used_at < ?1)',
        at.getTime(),
        id,
      )
    },
    async remove(id, user) {
      return db.transaction(() => {
        const row = db.get<TokenRow>(
          'DELETE FROM api_tokens WHERE id = ?1 AND (?2 IS NULL OR user = ?2) RETURNING *',
          id,
          user,
        )
        if (row === null) return null
        db.run('DELETE FROM logins WHERE api_token_id = ?', id)
        return toToken(row)
      })
    },
  }
}

function toToken(row: TokenRow): ApiToken {
  return {
    id: row.id,
    user: row.user,
    name: row.name,
    tokenHash: row.token_hash,
    scope: row.scope,
    runtimeIds: row.runtime_ids === null ? null : (JSON.parse(row.runtime_ids) as string[]),
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    usedAt: row.used_at === null ? null : new Date(row.used_at),
  }
}
