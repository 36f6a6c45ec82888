import { KreError } from '@kre/contracts'
import type { AccessLevel, Grant, User, UserStore } from '../../ports/identity-store.ts'
import type { Database, Row } from '../database.ts'
import { isForeignKeyViolation } from '../to-kre-error.ts'

type UserRow = Row & {
  email: string
  access_level: AccessLevel | null
  created_at: number
  last_activity_at: number | null
  removed_at: number | null
}
type GrantRow = Row & {
  email: string
  runtime_id: string
  access_level: Grant['accessLevel']
}

export function createSqliteUserStore(db: Database): UserStore {
  return {
    async create(user) {
      const values = [user.accessLevel, user.createdAt.getTime(), user.email] as const
      db.transaction(() => {
        const made =
          db.run(
            `UPDATE users SET access_level = ?, created_at = ?, last_activity_at = NULL, removed_at = NULL
             WHERE email = ? AND removed_at IS NOT NULL`,
            ...values,
          ) +
          db.run(
            `INSERT INTO users (access_level, created_at, email) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
            ...values,
          )
        if (made === 0)
          throw new KreError('already-exists', 'there is already a user with the same email', {
            email: user.email,
          })
        // A sign-in may have raced with the removal.
        removeCredentials(db, user.email)
        writeGrants(db, user.email, user.grants)
      })
    },
    async find(email) {
      const row = db.get<UserRow>('SELECT * FROM users WHERE email = ?', email)
      if (row === null) return null
      const grants = db.all<GrantRow>(
        'SELECT * FROM user_grants WHERE email = ? ORDER BY runtime_id',
        email,
      )
      return toUser(row, grants)
    },
    async list() {
      const grants = Map.groupBy(
        db.all<GrantRow>('SELECT * FROM user_grants ORDER BY runtime_id'),
        ({ email }) => email,
      )
      return db
        .all<UserRow>('SELECT * FROM users WHERE removed_at IS NULL ORDER BY email')
        .map((row) => toUser(row, grants.get(row.email) ?? []))
    },
    async setLevel(email, accessLevel) {
      db.transaction(() => {
        requireUser(db, email)
        if (accessLevel !== 'ADMIN') refuseLastAdmin(db, email)
        db.run('UPDATE users SET access_level = ? WHERE email = ?', accessLevel, email)
      })
    },
    async setGrants(email, grants) {
      db.transaction(() => {
        requireUser(db, email)
        writeGrants(db, email, grants)
      })
    },
    async remove(email, at) {
      db.transaction(() => {
        requireUser(db, email)
        refuseLastAdmin(db, email)
        db.run('UPDATE users SET removed_at = ? WHERE email = ?', at.getTime(), email)
        db.run('DELETE FROM user_grants WHERE email = ?', email)
        removeCredentials(db, email)
      })
    },
    async touch(email, at) {
      db.run(
        `UPDATE users SET last_activity_at = ?1
         WHERE email = ?2 AND (last_activity_at IS NULL OR last_activity_at < ?1)`,
        at.getTime(),
        email,
      )
    },
  }
}

function removeCredentials(db: Database, email: string): void {
  for (const table of ['logins', 'sign_in_links', 'api_tokens'])
    db.run(`DELETE FROM ${table} WHERE user = ?`, email)
}

function requireUser(db: Database, email: string): void {
  const found = db.get('SELECT 1 FROM users WHERE email = ? AND removed_at IS NULL', email)
  if (found === null) throw new KreError('not-found', `there is no user "${email}"`, { email })
}

function refuseLastAdmin(db: Database, email: string): void {
  const admins = db.all<Row & { email: string }>(
    `SELECT email FROM users WHERE access_level = 'ADMIN' AND removed_at IS NULL LIMIT 2`,
  )
  if (admins.length !== 1 || admins[0]?.email !== email) return
  throw new KreError(
    'failed-precondition',
    `"${email}" is the last administrator: make somebody else ADMIN first`,
    { reason: 'LAST_ADMIN', email },
  )
}

function writeGrants(db: Database, email: string, grants: readonly Grant[]): void {
  db.run('DELETE FROM user_grants WHERE email = ?', email)
  for (const { runtimeId, accessLevel } of grants)
    try {
      db.run(
        'INSERT INTO user_grants (email, runtime_id, access_level) VALUES (?, ?, ?)',
        email,
        runtimeId,
        accessLevel,
      )
    } catch (error) {
      if (isForeignKeyViolation(error))
        throw new KreError('not-found', `there is no runtime "${runtimeId}"`, { runtimeId })
      throw error
    }
}

function toUser(row: UserRow, grants: readonly GrantRow[]): User {
  return {
    email: row.email,
    accessLevel: row.access_level,
    grants: grants.map((grant) => ({
      runtimeId: grant.runtime_id,
      accessLevel: grant.access_level,
    })),
    createdAt: new Date(row.created_at),
    lastActivityAt: row.last_activity_at === null ? null : new Date(row.last_activity_at),
    removedAt: row.removed_at === null ? null : new Date(row.removed_at),
  }
}
