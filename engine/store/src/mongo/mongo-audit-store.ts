import { KreError } from '@kre/contracts'
import type { Collection, Db, Filter } from 'mongodb'
import type {
  AuditAnchor,
  AuditHead,
  AuditLink,
  AuditQuery,
  AuditStore,
} from '../ports/audit-store.ts'
import { firstOf, type Keyed } from './mongo-databases.ts'
import { isDuplicate } from './to-kre-error.ts'

/** KRE's collection `userActivity`; `_id` is the number in the chain. */
type LinkDocument = Keyed<number> &
  Omit<AuditLink, 'seq'> & {
    /** The link that was the newest when this one came; unique, so that of two that followed it one wins. */
    follows: number
    /** Of an outcome the intent, of others what no outcome has; unique, so that an intent has one outcome. */
    closes: number
  }
type HeadDocument = Keyed & AuditHead

const HEAD = 'audit'
const ANCHOR = 'anchor'

export function createMongoAuditStore(engine: Db): AuditStore {
  const links = engine.collection<LinkDocument>('userActivity')
  const heads = engine.collection<HeadDocument>('auditHead')
  const newest = async (): Promise<AuditLink | null> => {
    const [found] = await links.find({}).sort({ _id: -1 }).limit(1).toArray()
    return found === undefined ? null : toLink(found)
  }
  return {
    async append(link, head) {
      await insert(links, link, (await newest())?.seq ?? 0)
      await setForward(heads, HEAD, head)
    },
    newest,
    async head() {
      const found = await heads.findOne({ _id: HEAD })
      return found === null ? null : toHead(found)
    },
    async anchor() {
      const found = await heads.findOne({ _id: ANCHOR })
      return found === null ? null : toHead(found)
    },
    async removeThrough(anchor) {
      const kept = await setForward(heads, ANCHOR, anchor)
      if (!kept) return 0
      return (await links.deleteMany({ _id: { $lte: anchor.seq } })).deletedCount
    },
    async read(fromSeq, limit) {
      const found = links.find({ _id: { $gte: fromSeq } }).sort({ _id: 1 })
      return (await firstOf(found, limit)).map(toLink)
    },
    async outcomes(query) {
      const found = links.find(outcomeFilter(query)).sort({ _id: -1 })
      return (await firstOf(found, query.limit)).map(toLink)
    },
    async openIntents(limit) {
      const closed = new Set<number>()
      const outcomes = links.find({ kind: 'outcome' }, { projection: { intentSeq: 1 } })
      for await (const { intentSeq } of outcomes) closed.add(intentSeq)
      const open: AuditLink[] = []
      for await (const intent of links.find({ kind: 'intent' }).sort({ _id: 1 })) {
        if (open.length >= limit) break
        if (!closed.has(intent._id)) open.push(toLink(intent))
      }
      return open
    },
  }
}

async function insert(
  links: Collection<LinkDocument>,
  link: AuditLink,
  newest: number,
): Promise<void> {
  if (link.seq <= newest) throw notNext(link, newest)
  const { seq, ...fields } = link
  const closes = link.kind === 'outcome' ? link.intentSeq : -seq
  try {
    await links.insertOne({ _id: seq, ...fields, follows: newest, closes })
  } catch (error) {
    if (!isDuplicate(error)) throw error
    const closing = await links.findOne({ closes })
    if (link.kind !== 'outcome' || closing === null || closing._id === seq)
      throw notNext(link, newest + 1)
    throw new KreError(
      'already-exists',
      `intent ${link.intentSeq} of the audit log has an outcome already`,
    )
  }
}

/** @returns false when the one that is kept is further. */
async function setForward(
  heads: Collection<HeadDocument>,
  id: string,
  { seq, hash, mac }: AuditHead,
): Promise<boolean> {
  const isSet = async (): Promise<boolean> => {
    const { matchedCount } = await heads.updateOne(
      { _id: id, seq: { $lte: seq } },
      { $set: { seq, hash, mac } },
    )
    return matchedCount > 0
  }
  if (await isSet()) return true
  try {
    await heads.insertOne({ _id: id, seq, hash, mac })
    return true
  } catch (error) {
    if (!isDuplicate(error)) throw error
    // There is one, further ahead or made just now.
    return isSet()
  }
}

function toHead({ seq, hash, mac }: HeadDocument): AuditAnchor {
  return { seq, hash, mac }
}

function outcomeFilter(query: AuditQuery): Filter<LinkDocument> {
  const { beforeSeq, actor, types, runtimeIds, versionIds, from, to } = query
  const parts: Filter<LinkDocument>[] = [{ kind: { $eq: 'outcome' } }]
  if (beforeSeq !== undefined) parts.push({ _id: { $lt: beforeSeq } })
  if (actor !== undefined) parts.push({ actor: { $eq: actor } })
  if (types !== undefined) parts.push({ type: { $in: [...types] } })
  if (runtimeIds !== undefined) parts.push({ runtimeId: { $in: [...runtimeIds] } })
  if (versionIds !== undefined) parts.push({ versionId: { $in: [...versionIds] } })
  if (from !== undefined) parts.push({ at: { $gte: from } })
  if (to !== undefined) parts.push({ at: { $lte: to } })
  return { $and: parts }
}

function notNext({ seq }: AuditLink, newest: number): KreError {
  return new KreError(
    'aborted',
    `link ${seq} of the audit log does not follow link ${newest}: somebody was faster; read the newest link and try again`,
    { seq, newest },
  )
}

function toLink({ _id, follows: _follows, closes: _closes, ...fields }: LinkDocument): AuditLink {
  return { seq: _id, ...fields }
}
