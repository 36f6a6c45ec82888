import { KreError } from '@kre/contracts'
import type { AuditHead, AuditLink, AuditStore } from '@kre/store'
import { GENESIS_HASH, type ChainKey } from './chain-key.ts'

/** Attempts before an append gives up; each lost one means that another engine wrote a link. */
const ATTEMPTS_MAX = 50
/** `type` of links by which the log says something about itself. */
export const NOTICE_TYPE = 'AUDIT_NOTICE'
/** `type` of links by which it says that its beginning was removed, as it should be. */
export const RETENTION_TYPE = 'AUDIT_RETENTION'

/** A link before it has its place in the chain. */
export type NewLink = Pick<
  AuditLink,
  'kind' | 'at' | 'actor' | 'type' | 'runtimeId' | 'versionId' | 'body'
> & {
  /** Null = itself. */
  intentSeq: number | null
}

export type Chain = {
  /** Adds a link behind the newest one. @throws KreError of the store; `already-exists` for a second outcome. */
  append(link: NewLink): Promise<AuditLink>
}

type End = { seq: number; hash: string }
/** What is wrong with the chain's end; kept in the chain itself, so that nothing written later hides it. */
type Finding =
  | { found: 'cut'; firstMissing: number; lastMissing: number }
  | { found: 'replaced'; seq: number }
  | { found: 'head-missing' | 'head-forged' }
  | { found: 'pepper-replaced'; needed: string }

/**
 * The writing end of the audit log. One link after the other, each behind what was newest when it was made; several
 * engines may write to one store.
 *
 * A chain that was cut goes on behind the links that are missing: the gap stays to be seen.
 */
export function createChain(deps: {
  audit: AuditStore
  key: ChainKey
  now: () => Date
  onFinding?: (finding: Finding) => void
}): Chain {
  const { audit, key } = deps
  /** The newest link that this process saw. */
  let known: End | null = null
  /** A head that can't be replaced is noticed once. */
  let noticedMac: string | null = null
  let turn: Promise<unknown> = Promise.resolve()

  async function appendNow(link: NewLink): Promise<AuditLink> {
    for (let attempt = 1; ; attempt += 1) {
      // The head first: links are written before it, so it is never ahead of what is read after it.
      const head = await audit.head()
      const newest = await audit.newest()
      const { end, finding } = findEnd({ head, newest, known, noticedMac }, key)
      try {
        if (finding === null) return await put(end, link)
        await put(end, notice(finding, deps.now()))
        noticedMac = head?.mac ?? null
        deps.onFinding?.(finding)
      } catch (error) {
        const lost = error instanceof KreError && error.code === 'aborted'
        if (!lost || attempt >= ATTEMPTS_MAX) throw error
      }
    }
  }

  async function put(end: End, link: NewLink): Promise<AuditLink> {
    const seq = end.seq + 1
    const { intentSeq, ...fields } = link
    const sealed = key.seal({
      ...fields,
      seq,
      intentSeq: intentSeq ?? seq,
      prevHash: end.hash,
    })
    await audit.append(sealed, key.sealHead(sealed))
    known = sealed
    return sealed
  }

  return {
    append(link) {
      const own = turn.then(() => appendNow(link))
      // The next one waits for the end, however it comes; the failure belongs to this caller alone.
      turn = own.catch(() => undefined)
      return own
    },
  }
}

/** Where the chain goes on, and what is wrong there. */
function findEnd(
  seen: {
    head: AuditHead | null
    newest: AuditLink | null
    known: End | null
    noticedMac: string | null
  },
  key: ChainKey,
): { end: End; finding: Finding | null } {
  const { head, newest, known, noticedMac } = seen
  const own = head !== null && key.isOwnHead(head) ? head : null
  const ends = [newest, own, known].filter((end) => end !== null)
  const end = ends.reduce<End>((last, next) => (next.seq > last.seq ? next : last), {
    seq: 0,
    hash: GENESIS_HASH,
  })
  const lastThere = newest?.seq ?? 0
  if (lastThere < end.seq)
    return {
      end,
      finding: { found: 'cut', firstMissing: lastThere + 1, lastMissing: end.seq },
    }
  const other = ends.find(({ seq, hash }) => seq === end.seq && hash !== end.hash)
  if (other !== undefined) return { end, finding: { found: 'replaced', seq: end.seq } }
  // A crash between the very first link and its head leaves no head.
  if (head === null && lastThere > 1) return { end, finding: { found: 'head-missing' } }
  if (head !== null && own === null && head.mac !== noticedMac)
    return { end, finding: { found: 'head-forged' } }
  return { end, finding: null }
}

/** A link by which the log says something about itself. */
export function notice(finding: Finding, at: Date): NewLink {
  return {
    kind: 'notice',
    intentSeq: null,
    at,
    actor: '',
    type: NOTICE_TYPE,
    runtimeId: null,
    versionId: null,
    body: JSON.stringify(finding),
  }
}
