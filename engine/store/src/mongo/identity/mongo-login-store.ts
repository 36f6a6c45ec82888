import type { Db } from 'mongodb'
import type { Login, LoginStore } from '../../ports/identity-store.ts'
import { keyIs, type Keyed } from '../mongo-databases.ts'
import { insertOnce } from './insert-once.ts'

/** KRE's collection `sessions`; `_id` is the hash of the token, `id` is unique. */
type LoginDocument = Keyed & Omit<Login, 'tokenHash'>

export function createMongoLoginStore(engine: Db): LoginStore {
  const logins = engine.collection<LoginDocument>('sessions')
  return {
    async create({ tokenHash, ...login }) {
      // Expired ones go when new ones come, so the collection is as large as the number of live logins.
      await logins.deleteMany({ expiresAt: { $lte: login.createdAt } })
      await insertOnce('there is already a login with the same id or token: make a new one', () =>
        logins.insertOne({ _id: tokenHash, ...login }),
      )
    },
    async find(tokenHash, now) {
      const found = await logins.findOne(keyIs(tokenHash))
      return found === null || found.expiresAt <= now ? null : toLogin(found)
    },
    async list(user, now) {
      const found = logins
        .find({ user: { $eq: user }, expiresAt: { $gt: now } })
        .sort({ createdAt: -1, id: 1 })
      return (await found.toArray()).map(toLogin)
    },
    async touch(tokenHash, at) {
      await logins.updateOne(
        { _id: { $eq: tokenHash }, usedAt: { $lt: at } },
        { $set: { usedAt: at } },
      )
    },
    async remove(tokenHash) {
      await logins.deleteOne({ _id: { $eq: tokenHash } })
    },
    async removeById(id, user) {
      const removed = await logins.findOneAndDelete({
        id: { $eq: id },
        ...(user === null ? {} : { user: { $eq: user } }),
      })
      return removed === null ? null : toLogin(removed)
    },
    async removeAll(user) {
      return (await logins.deleteMany({ user: { $eq: user } })).deletedCount
    },
  }
}

function toLogin(document: LoginDocument): Login {
  return {
    id: document.id,
    tokenHash: document._id,
    user: document.user,
    method: document.method,
    apiTokenId: document.apiTokenId,
    userAgent: document.userAgent,
    createdAt: document.createdAt,
    expiresAt: document.expiresAt,
    usedAt: document.usedAt,
  }
}
