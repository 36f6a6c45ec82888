import type { Login, LoginMethod, LoginStore } from '../../ports/identity-store.ts'
import type { Database, Row } from '../database.ts'
import { insertOnce } from './insert-once.ts'

type LoginRow = Row & {
  id: string
  token_hash: string
  user: string
  method: LoginMethod
  api_token_id: string | null
  user_agent: string
  created_at: number
  expires_at: number
  used_at: number
}

export function createSqliteLoginStore(db: Database): LoginStore {
  return {
    async create(login) {
      db.transaction(() => {
        // Expired ones go when new ones come, so the table is as large as the number of live logins.
        db.run('DELETE FROM logins WHERE expires_at <= ?', login.createdAt.getTime())
        insertOnce('there is already a login with the same id or token: make a new one', () =>
          db.run(
            `INSERT INTO logins
               (id, token_hash, user, method, api_token_id, user_agent, created_at, expires_at, used_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
            login.id,
            login.tokenHash,
            login.user,
            login.method,
            login.apiTokenId,
            login.userAgent,
            login.createdAt.getTime(),
            login.expiresAt.getTime(),
            login.usedAt.getTime(),
          ),
        )
      })
    },
    async find(tokenHash, now) {
      const row = db.get<LoginRow>(
        'SELECT * FROM logins WHERE token_hash = ? AND expires_at > ?',
        tokenHash,
        now.getTime(),
      )
      return row === null ? null : toLogin(row)
    },
    async list(user, now) {
      return db
        .all<LoginRow>(
          'SELECT * FROM logins WHERE user = ? AND expires_at > ? ORDER BY created_at DESC, id',
          user,
          now.getTime(),
        )
        .map(toLogin)
    },
    async touch(tokenHash, at) {
      db.run(
        'UPDATE logins SET used_at = ?1 WHERE token_hash = ?2 AND used_at < ?1',
        at.getTime(),
        tokenHash,
      )
    },
    async remove(tokenHash) {
      db.run('DELETE FROM logins WHERE token_hash = ?', tokenHash)
    },
    async removeById(id, user) {
      const row = db.get<LoginRow>(
        'DELETE FROM logins WHERE id = ?1 AND (?2 IS NULL OR user = ?2) RETURNING *',
        id,
        user,
      )
      return row === null ? null : toLogin(row)
    },
    async removeAll(user) {
      return db.run('DELETE FROM logins WHERE user = ?', user)
    },
  }
}

function toLogin(row: LoginRow): Login {
  return {
    id: row.id,
    tokenHash: row.token_hash,
    user: row.user,
    method: row.method,
    apiTokenId: row.api_token_id,
    userAgent: row.user_agent,
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
    usedAt: new Date(row.used_at),
  }
}
