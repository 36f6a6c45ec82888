import { setImmediate as breathe } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import type { AuditStore } from '@kre/store'
import { RETENTION_TYPE, type Chain } from './chain.ts'
import { GENESIS_HASH, type ChainKey } from './chain-key.ts'
import { createWalk, type Anchor } from './verify-chain.ts'

/** Links that are read at once; others have their turn in between. */
const PAGE_LINKS = 500

type RetainDeps = {
  audit: AuditStore
  chain: Chain
  key: ChainKey
  now: () => Date
  logger: Logger
}

/**
 * Removes what is older than `olderThan` from the beginning of the log. What is left can be verified as before: the
 * hash of the last removed link is kept with a keyed hash, and a link of the chain says what was removed.
 *
 * Nothing is removed that was tampered with, so that a removal never hides it; nor an operation that is not closed, nor
 * anything behind it.
 *
 * @returns how many links were removed.
 * @throws KreError `failed-precondition` for a log that is not as the engine wrote it.
 */
export async function retainLinks(deps: RetainDeps, olderThan: Date): Promise<number> {
  const { audit, chain, key, now, logger } = deps
  const begin = await findBegin(audit, key)
  const cut = await findCut(deps, begin, olderThan)
  if (cut === null) {
    // A removal that was cut off has left links before its own anchor.
    return begin.seq === 0 ? 0 : audit.removeThrough(key.sealAnchor(begin))
  }
  await chain.append({
    kind: 'notice',
    intentSeq: null,
    at: now(),
    actor: '',
    type: RETENTION_TYPE,
    runtimeId: null,
    versionId: null,
    body: JSON.stringify({ removedThrough: cut, olderThan: olderThan.toISOString() }),
  })
  const removed = await audit.removeThrough(key.sealAnchor(cut))
  logger.info({ removed, throughSeq: cut.seq, olderThan }, 'old links of the audit log removed')
  return removed
}

/** Where the log begins: behind what was removed before. */
async function findBegin(audit: AuditStore, key: ChainKey): Promise<Anchor> {
  const anchor = await audit.anchor()
  if (anchor === null) return { seq: 0, hash: GENESIS_HASH }
  if (key.isOwnAnchor(anchor)) return { seq: anchor.seq, hash: anchor.hash }
  throw tampered('what retention keeps of removed links was not written by the engine')
}

/** The last link up to which everything is old, closed, and as the engine wrote it; null = there is none. */
async function findCut(
  { audit, key }: Pick<RetainDeps, 'audit' | 'key'>,
  begin: Anchor,
  olderThan: Date,
): Promise<Anchor | null> {
  const walk = createWalk(key, [], begin)
  let cut: Anchor | null = null
  // Also what a removal that was cut off has left: it has to lead to where the log begins.
  for (let from = Number.MIN_SAFE_INTEGER; ;) {
    const page = await audit.read(from, PAGE_LINKS)
    for (const link of page) {
      if (link.at >= olderThan) return cut
      walk.step(link)
      const { problems, open, last } = walk.end()
      if (problems[0] !== undefined) throw tampered(problems[0].message)
      if (open === 0 && last.seq > begin.seq) cut = last
    }
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE_LINKS) return cut
    from = last.seq + 1
    await breathe()
  }
}

function tampered(what: string): KreError {
  return new KreError(
    'failed-precondition',
    `nothing was removed from the audit log: ${what}. Run krectl audit verify, and keep a copy of the data`,
    { reason: 'AUDIT_TAMPERED' },
  )
}
