import { setImmediate as breathe } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import type { AuditAnchor, AuditHead, AuditLink, AuditStore } from '@kre/store'
import { RETENTION_TYPE } from './chain.ts'
import { GENESIS_HASH, type ChainKey } from './chain-key.ts'

/** Links that are read at once: their hashes take a few milliseconds, then others have their turn. */
const PAGE_LINKS = 500
/** Problems that are named; there may be more. */
const PROBLEMS_MAX = 20

/** A place of the chain that somebody knew earlier, from an export or an earlier verdict. */
export type Anchor = { seq: number; hash: string }
export type ChainProblem = { seq: number; message: string }
export type ChainVerdict = {
  ok: boolean
  /** Links that are there. */
  links: number
  /** The newest link; null = there is none. */
  head: Anchor | null
  /** The last link that retention has removed; null = none. */
  removedThrough: Anchor | null
  /** Operations whose outcome is not written yet. */
  openIntents: number
  /** In the order of the chain, the first `PROBLEMS_MAX` of them. */
  problems: readonly ChainProblem[]
}

/**
 * Computes the chain anew, from behind what retention has removed. Memory does not grow with the log.
 *
 * @param known must be part of the chain; tells when a chain was cut together with its head.
 * @throws KreError `failed-precondition` when `known` is among the links that retention has removed.
 */
export async function verifyChain(
  deps: { audit: AuditStore; key: ChainKey },
  known: Anchor | null = null,
): Promise<ChainVerdict> {
  const { audit, key } = deps
  // Before the links: what is added meanwhile is behind the head, and what is removed is before a later anchor.
  const head = await audit.head()
  const anchor = await audit.anchor()
  const isOwnAnchor = anchor !== null && key.isOwnAnchor(anchor)
  if (known !== null && isOwnAnchor && known.seq < anchor.seq) throw removed(known, anchor)
  const walk = await walkAll(deps, [head, known, anchor], isOwnAnchor ? anchor : null)
  // Removed under the walk's feet: what looks like a gap is none.
  if ((await audit.anchor())?.seq !== anchor?.seq) return verifyChain(deps, known)
  const { last, links, open, problems, hashAt } = walk.end()
  if (anchor !== null && !isOwnAnchor)
    problems.push({
      seq: 1,
      message: 'what is kept of removed links was not written by the engine',
    })
  for (const problem of headProblems(head, key, last, hashAt)) problems.push(problem)
  if (known !== null && hashAt.get(known.seq) !== known.hash)
    problems.push({
      seq: Math.min(known.seq, last.seq + 1),
      message: `link ${known.seq} is not the one that was known before: the log was cut, or written anew`,
    })
  problems.sort((one, other) => one.seq - other.seq)
  return {
    ok: problems.length === 0,
    links,
    head: links === 0 ? null : last,
    removedThrough: isOwnAnchor ? { seq: anchor.seq, hash: anchor.hash } : null,
    openIntents: open,
    problems: problems.slice(0, PROBLEMS_MAX),
  }
}

async function walkAll(
  { audit, key }: { audit: AuditStore; key: ChainKey },
  marks: readonly (Anchor | null)[],
  begin: Anchor | null,
): Promise<ChainWalk> {
  const walk = createWalk(
    key,
    marks.filter((mark) => mark !== null),
    begin ?? undefined,
  )
  // Rows before the first link belong to nobody, and lists would show them.
  for (let from = Number.MIN_SAFE_INTEGER; ;) {
    const page = await audit.read(from, PAGE_LINKS)
    for (const link of page) walk.step(link)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE_LINKS) return walk
    from = last.seq + 1
    await breathe()
  }
}

/** Follows the links of a chain one by one. */
export type ChainWalk = ReturnType<typeof createWalk>

/**
 * @param marks places whose hashes are remembered on the way.
 * @param begin the last link that retention has removed. Links up to it may still be there, from a removal that was cut
 *   off: they have to lead to it.
 */
export function createWalk(
  key: ChainKey,
  marks: readonly Anchor[],
  begin: Anchor = { seq: 0, hash: GENESIS_HASH },
) {
  const problems: ChainProblem[] = []
  const hashAt = new Map<number, string>([[begin.seq, begin.hash]])
  const open = new Set<number>()
  let last = begin
  let links = 0

  function report(seq: number, message: string): void {
    if (problems.length < PROBLEMS_MAX) problems.push({ seq, message })
  }

  return {
    step(link: AuditLink): void {
      if (links === 0 && link.seq >= 1 && link.seq <= begin.seq)
        last = { seq: link.seq - 1, hash: link.prevHash }
      const expected = last.seq + 1
      if (link.seq < expected) {
        report(link.seq, `link ${link.seq} is no part of the log`)
        return
      }
      if (link.seq > expected) report(expected, `links ${expected} to ${link.seq - 1} are missing`)
      // After a gap the link before is not there to compare with.
      else if (link.prevHash !== last.hash)
        report(link.seq, `link ${link.seq} does not follow the link before it`)
      if (link.seq === begin.seq && link.hash !== begin.hash)
        report(link.seq, `link ${link.seq} is not the one up to which links were removed`)
      const wrong = linkProblem(key, link)
      if (wrong !== null) report(link.seq, wrong)
      if (link.kind === 'intent') open.add(link.seq)
      if (link.kind === 'outcome') open.delete(link.intentSeq)
      if (marks.some(({ seq }) => seq === link.seq)) hashAt.set(link.seq, link.hash)
      last = { seq: link.seq, hash: link.hash }
      links += 1
    },
    end: () => ({ last, links, open: open.size, problems, hashAt }),
  }
}

function linkProblem(key: ChainKey, link: AuditLink): string | null {
  switch (key.check(link)) {
    case 'forged':
      return `link ${link.seq} was changed, or not written by the engine`
    case 'other-key':
      return `link ${link.seq} was made with the key ${link.keyId}, and the engine has ${key.id}: its pepper was replaced`
    case 'genuine':
      // The writer met a chain whose end was wrong, and kept that.
      return link.kind === 'notice' && link.type !== RETENTION_TYPE
        ? `link ${link.seq} says: ${link.body}`
        : null
  }
}

function headProblems(
  head: AuditHead | null,
  key: ChainKey,
  last: Anchor,
  hashAt: ReadonlyMap<number, string>,
): ChainProblem[] {
  if (head === null)
    return last.seq > 1 ? [{ seq: last.seq, message: 'the head of the log is missing' }] : []
  if (!key.isOwnHead(head))
    return [{ seq: last.seq, message: 'the head of the log was not written by the engine' }]
  if (head.seq > last.seq)
    return [
      {
        seq: last.seq + 1,
        message: `links ${last.seq + 1} to ${head.seq} were cut off the end`,
      },
    ]
  return hashAt.get(head.seq) === head.hash
    ? []
    : [{ seq: head.seq, message: `link ${head.seq} is not the one that the head names` }]
}

function removed(known: Anchor, anchor: AuditAnchor): KreError {
  return new KreError(
    'failed-precondition',
    `link ${known.seq} was removed because of its age, as all up to link ${anchor.seq}: give a later head, or verify without one`,
    { reason: 'AUDIT_REMOVED', seq: known.seq, removedThrough: anchor.seq },
  )
}
