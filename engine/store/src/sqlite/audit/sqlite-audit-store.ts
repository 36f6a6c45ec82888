import type { SQLInputValue } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import type {
  AuditAnchor,
  AuditHead,
  AuditLink,
  AuditLinkKind,
  AuditQuery,
  AuditStore,
} from '../../ports/audit-store.ts'
import type { Database, Row } from '../database.ts'
import { insertOnce } from '../identity/insert-once.ts'

/** Links removed before other work of the process gets its turn. */
const REMOVAL_LINKS = 1_000

type LinkRow = Row & {
  seq: number
  kind: AuditLinkKind
  intent_seq: number
  at: number
  actor: string
  type: string
  runtime_id: string | null
  version_id: string | null
  key_id: string
  prev_hash: string
  hash: string
  body: string
}

/**
 * @param chain holds the links and nothing else.
 * @param control holds the head, so that cutting or replacing the chain's file alone shows.
 */
export function createSqliteAuditStore(chain: Database, control: Database): AuditStore {
  return {
    async append(link, head) {
      chain.transaction(() => insert(chain, link))
      control.run(
        `INSERT INTO audit_head (id, seq, hash, mac) VALUES (1, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac
         WHERE excluded.seq >= seq`,
        head.seq,
        head.hash,
        head.mac,
      )
    },
    async newest() {
      const row = chain.get<LinkRow>('SELECT * FROM links ORDER BY seq DESC LIMIT 1')
      return row === null ? null : toLink(row)
    },
    async head() {
      return control.get<Row & AuditHead>('SELECT seq, hash, mac FROM audit_head WHERE id = 1')
    },
    async read(fromSeq, limit) {
      return chain
        .all<LinkRow>('SELECT * FROM links WHERE seq >= ? ORDER BY seq LIMIT ?', fromSeq, limit)
        .map(toLink)
    },
    async outcomes(query) {
      const { where, params } = conditions(query)
      return chain
        .all<LinkRow>(
          `SELECT * FROM links WHERE seq IN (
             SELECT seq FROM links INDEXED BY links_for_lists
             WHERE ${where} ORDER BY seq DESC LIMIT ?
           ) ORDER BY seq DESC`,
          ...params,
          query.limit,
        )
        .map(toLink)
    },
    async anchor() {
      return control.get<Row & AuditAnchor>('SELECT seq, hash, mac FROM audit_anchor WHERE id = 1')
    },
    async removeThrough(anchor) {
      const kept = control.transaction(() => keepAnchor(control, anchor))
      return kept ? removeLinks(chain, anchor.seq) : 0
    },
    async openIntents(limit) {
      return chain
        .all<LinkRow>(
          `SELECT * FROM links AS intents WHERE kind = 'intent' AND NOT EXISTS (
             SELECT 1 FROM links WHERE kind = 'outcome' AND intent_seq = intents.seq
           ) ORDER BY seq LIMIT ?`,
          limit,
        )
        .map(toLink)
    },
  }
}

/** @returns false when the one that is kept is further. */
function keepAnchor(db: Database, { seq, hash, mac }: AuditAnchor): boolean {
  const changed = db.run(
    `INSERT INTO audit_anchor (id, seq, hash, mac) VALUES (1, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac
     WHERE excluded.seq >= seq`,
    seq,
    hash,
    mac,
  )
  return changed > 0
}

async function removeLinks(db: Database, throughSeq: number): Promise<number> {
  for (let removed = 0; ;) {
    const slice = db.run(
      `DELETE FROM links WHERE seq IN (SELECT seq FROM links WHERE seq <= ? ORDER BY seq LIMIT ${REMOVAL_LINKS})`,
      throughSeq,
    )
    removed += slice
    if (slice < REMOVAL_LINKS) return removed
    await nextTurn()
  }
}

function insert(db: Database, link: AuditLink): void {
  const newest = db.get<Row & { seq: number | null }>('SELECT max(seq) AS seq FROM links')?.seq ?? 0
  if (link.seq <= newest)
    throw new KreError(
      'aborted',
      `link ${link.seq} of the audit log does not follow link ${newest}: somebody was faster; read the newest link and try again`,
      { seq: link.seq, newest },
    )
  insertOnce(`intent ${link.intentSeq} of the audit log has an outcome already`, () =>
    db.run(
      `INSERT INTO links
         (seq, kind, intent_seq, at, actor, type, runtime_id, version_id, key_id, prev_hash, hash, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      link.seq,
      link.kind,
      link.intentSeq,
      link.at.getTime(),
      link.actor,
      link.type,
      link.runtimeId,
      link.versionId,
      link.keyId,
      link.prevHash,
      link.hash,
      link.body,
    ),
  )
}

function conditions(query: AuditQuery): { where: string; params: SQLInputValue[] } {
  const parts = [`kind = 'outcome'`]
  const params: SQLInputValue[] = []
  const narrow = (sql: string, value: SQLInputValue | undefined): void => {
    if (value === undefined) return
    parts.push(sql)
    params.push(value)
  }
  const among = (column: string, values: readonly string[] | undefined): void =>
    narrow(
      `${column} IN (SELECT value FROM json_each(?))`,
      values === undefined ? undefined : JSON.stringify(values),
    )
  narrow('seq < ?', query.beforeSeq)
  narrow('actor = ?', query.actor)
  narrow('at >= ?', query.from?.getTime())
  narrow('at <= ?', query.to?.getTime())
  among('type', query.types)
  among('runtime_id', query.runtimeIds)
  among('version_id', query.versionIds)
  return { where: parts.join(' AND '), params }
}

function toLink(row: LinkRow): AuditLink {
  return {
    seq: row.seq,
    kind: row.kind,
    intentSeq: row.intent_seq,
    at: new Date(row.at),
    actor: row.actor,
    type: row.type,
    runtimeId: row.runtime_id,
    versionId: row.version_id,
    body: row.body,
    keyId: row.key_id,
    prevHash: row.prev_hash,
    hash: row.hash,
  }
}
