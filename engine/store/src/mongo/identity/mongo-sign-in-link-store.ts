import type { Db, Filter } from 'mongodb'
import type { LinkProof, LinkUse, SignInLink, SignInLinkStore } from '../../ports/identity-store.ts'
import { inTurn, turnOf } from '../in-turn.ts'
import { keyIs, type Keyed } from '../mongo-databases.ts'
import { insertOnce } from './insert-once.ts'

/** KRE's collection `verificationCodes`; `_id` is the hash of the link. */
type LinkDocument = Keyed & Omit<SignInLink, 'linkHash'>

export function createMongoSignInLinkStore(engine: Db): SignInLinkStore {
  const links = engine.collection<LinkDocument>('verificationCodes')
  return {
    async create({ linkHash, ...link }, now) {
      await links.deleteMany({ expiresAt: { $lte: now } })
      await insertOnce('there is already a sign-in link with the same hash: make a new one', () =>
        links.insertOne({ _id: linkHash, ...link }),
      )
    },
    async find(linkHash, now) {
      const found = await links.findOne(keyIs(linkHash))
      return found === null || found.expiresAt <= now ? null : toLink(found)
    },
    use(linkHash, proof, now) {
      return inTurn(turnOf(links, linkHash), async (): Promise<LinkUse> => {
        const alive = { _id: { $eq: linkHash }, expiresAt: { $gt: now } }
        const used = await links.findOneAndDelete({ ...alive, $or: proofs(proof) })
        if (used !== null) return { outcome: 'used', user: used.user }
        const tried = await links.findOneAndUpdate(
          alive,
          { $inc: { codeTries: -1 } },
          { returnDocument: 'after' },
        )
        if (tried === null) return { outcome: 'void' }
        if (tried.codeTries <= 0) await links.deleteOne({ _id: { $eq: linkHash } })
        return { outcome: 'refused' }
      })
    },
    async removeOf(user) {
      await links.deleteMany({ user: { $eq: user } })
    },
  }
}

/** Null in the proof matches nothing: a link without a code is not opened by having none. */
function proofs({ browserHash, codeHash }: LinkProof): Filter<LinkDocument>[] {
  return [
    { browserHash: { $eq: null } },
    ...(browserHash === null ? [] : [{ browserHash: { $eq: browserHash } }]),
    ...(codeHash === null ? [] : [{ codeHash: { $eq: codeHash }, codeTries: { $gt: 0 } }]),
  ]
}

function toLink(document: LinkDocument): SignInLink {
  return {
    linkHash: document._id,
    user: document.user,
    browserHash: document.browserHash,
    codeHash: document.codeHash,
    codeTries: document.codeTries,
    expiresAt: document.expiresAt,
  }
}
