import { KreError } from '@kre/contracts'
import type { IdentityStore, Login } from '../ports/store.ts'
import type { Database, Row } from './database.ts'
import { isUniqueViolation } from './to-kre-error.ts'

type LinkRow = Row & { user: string; expires_at: number }
type LoginRow = Row & { token_hash: string; user: string; created_at: number; expires_at: number }

export function createSqliteIdentityStore(db: Database): IdentityStore {
  return {
    async createSignInLink(linkHash, user, expiresAt) {
      insertOnce('sign-in link', () =>
        db.run(
          'INSERT INTO sign_in_links (link_hash, user, expires_at) VALUES (?, ?, ?)',
          linkHash,
          user,
          expiresAt.getTime(),
        ),
      )
    },
    async consumeSignInLink(linkHash, now) {
      // One statement: of two parallel calls, also of two processes, one gets the row.
      const row = db.get<LinkRow>(
        'DELETE FROM sign_in_links WHERE link_hash = ? RETURNING user, expires_at',
        linkHash,
      )
      return row !== null && row.expires_at > now.getTime() ? row.user : null
    },
    async removeSignInLinks() {
      db.run('DELETE FROM sign_in_links')
    },
    async createLogin(login) {
      db.transaction(() => {
        // Expired ones go when new ones come, so the table is as large as the number of live logins.
        db.run('DELETE FROM logins WHERE expires_at <= ?', login.createdAt.getTime())
        insertOnce('login', () =>
          db.run(
            'INSERT INTO logins (token_hash, user, created_at, expires_at) VALUES (?, ?, ?, ?)',
            login.tokenHash,
            login.user,
            login.createdAt.getTime(),
            login.expiresAt.getTime(),
          ),
        )
      })
    },
    async findLogin(tokenHash, now) {
      const row = db.get<LoginRow>(
        'SELECT * FROM logins WHERE token_hash = ? AND expires_at > ?',
        tokenHash,
        now.getTime(),
      )
      return row === null ? null : toLogin(row)
    },
    async removeLogin(tokenHash) {
      db.run('DELETE FROM logins WHERE token_hash = ?', tokenHash)
    },
  }
}

function insertOnce(what: string, insert: () => void): void {
  try {
    insert()
  } catch (error) {
    if (isUniqueViolation(error))
      throw new KreError(
        'already-exists',
        `there is already a ${what} with the same hash: make a new one`,
      )
    throw error
  }
}

function toLogin(row: LoginRow): Login {
  return {
    tokenHash: row.token_hash,
    user: row.user,
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
  }
}
