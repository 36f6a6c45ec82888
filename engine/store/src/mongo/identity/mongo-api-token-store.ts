import type { Db } from 'mongodb'
import type { ApiToken, ApiTokenStore } from '../../ports/identity-store.ts'
import { keyIs, type Keyed } from '../mongo-databases.ts'
import { insertOnce } from './insert-once.ts'

/** `(user, name)` is unique. */
type TokenDocument = Keyed & Omit<ApiToken, 'id'>

export function createMongoApiTokenStore(engine: Db): ApiTokenStore {
  const tokens = engine.collection<TokenDocument>('api_tokens')
  return {
    async create(token) {
      await insertOnce('API Token name duplicated', () => tokens.insertOne(toDocument(token)))
    },
    async find(id) {
      const found = await tokens.findOne(keyIs(id))
      return found === null ? null : toToken(found)
    },
    async list(user) {
      const found = tokens.find({ user: { $eq: user } }).sort({ createdAt: 1, _id: 1 })
      return (await found.toArray()).map(toToken)
    },
    async touch(id, at) {
      await tokens.updateOne(
        { _id: { $eq: id }, $or: [{ usedAt: { $eq: null } }, { usedAt: { $lt: at } }] },
        { $set: { usedAt: at } },
      )
    },
    async remove(id, user) {
      const token = await tokens.findOne({ _id: { $eq: id }, ...ofUser(user) })
      if (token === null) return null
      // First what hangs on it: after a crash between the two the token is still there to be removed again.
      await endLogins(engine, id)
      const removed = await tokens.findOneAndDelete({ _id: { $eq: id }, ...ofUser(user) })
      // Logins that were got between the two.
      await endLogins(engine, id)
      return removed === null ? null : toToken(removed)
    },
  }
}

async function endLogins(engine: Db, apiTokenId: string): Promise<void> {
  await engine.collection('sessions').deleteMany({ apiTokenId: { $eq: apiTokenId } })
}

function ofUser(user: string | null): { user?: { $eq: string } } {
  return user === null ? {} : { user: { $eq: user } }
}

function toDocument({ id, runtimeIds, ...fields }: ApiToken): TokenDocument {
  return { _id: id, ...fields, runtimeIds: runtimeIds === null ? null : [...runtimeIds] }
}

function toToken(document: TokenDocument): ApiToken {
  return {
    id: document._id,
    user: document.user,
    name: document.name,
    tokenHash: document.tokenHash,
    scope: document.scope,
    runtimeIds: document.runtimeIds,
    createdAt: document.createdAt,
    expiresAt: document.expiresAt,
    usedAt: document.usedAt,
  }
}
