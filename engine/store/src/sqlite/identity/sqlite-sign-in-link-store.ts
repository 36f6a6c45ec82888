import type { LinkUse, SignInLink, SignInLinkStore } from '../../ports/identity-store.ts'
import type { Database, Row } from '../database.ts'
import { insertOnce } from './insert-once.ts'

type LinkRow = Row & {
  link_hash: string
  user: string
  browser_hash: string | null
  code_hash: string | null
  code_tries: number
  expires_at: number
}

export function createSqliteSignInLinkStore(db: Database): SignInLinkStore {
  return {
    async create(link, now) {
      db.transaction(() => {
        db.run('DELETE FROM sign_in_links WHERE expires_at <= ?', now.getTime())
        insertOnce('there is already a sign-in link with the same hash: make a new one', () =>
          db.run(
            `INSERT INTO sign_in_links
               (link_hash, user, browser_hash, code_hash, code_tries, expires_at)
             VALUES (?, ?, ?, ?, ?, ?)`,
            link.linkHash,
            link.user,
            link.browserHash,
            link.codeHash,
            link.codeTries,
            link.expiresAt.getTime(),
          ),
        )
      })
    },
    async find(linkHash, now) {
      const row = db.get<LinkRow>(
        'SELECT * FROM sign_in_links WHERE link_hash = ? AND expires_at > ?',
        linkHash,
        now.getTime(),
      )
      return row === null ? null : toLink(row)
    },
    async use(linkHash, proof, now): Promise<LinkUse> {
      return db.transaction(() => {
        const used = db.get<LinkRow>(
          `DELETE FROM sign_in_links
           WHERE link_hash = ? AND expires_at > ?
             AND (browser_hash IS NULL OR browser_hash = ? OR code_hash = ?)
           RETURNING *`,
          linkHash,
          now.getTime(),
          proof.browserHash,
          proof.codeHash,
        )
        if (used !== null) return { outcome: 'used', user: used.user }
        const tried = db.get<LinkRow>(
          `UPDATE sign_in_links SET code_tries = code_tries - 1
           WHERE link_hash = ? AND expires_at > ? RETURNING *`,
          linkHash,
          now.getTime(),
        )
        if (tried === null) return { outcome: 'void' }
        if (tried.code_tries <= 0) db.run('DELETE FROM sign_in_links WHERE link_hash = ?', linkHash)
        return { outcome: 'refused' }
      })
    },
    async removeOf(user) {
      db.run('DELETE FROM sign_in_links WHERE user = ?', user)
    },
  }
}

function toLink(row: LinkRow): SignInLink {
  return {
    linkHash: row.link_hash,
    user: row.user,
    browserHash: row.browser_hash,
    codeHash: row.code_hash,
    codeTries: row.code_tries,
    expiresAt: new Date(row.expires_at),
  }
}
