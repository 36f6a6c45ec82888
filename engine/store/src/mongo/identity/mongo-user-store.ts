import { KreError } from '@kre/contracts'
import type { Db } from 'mongodb'
import type { Grant, User, UserStore } from '../../ports/identity-store.ts'
import { keyIs, type Keyed } from '../mongo-databases.ts'
import type { RuntimeDocument } from '../mongo-runtime-store.ts'
import { isDuplicate } from '../to-kre-error.ts'
import { createAdminList } from './admin-list.ts'

/** `_id` is the e-mail. Who is ADMIN is said by the list of them; `accessLevel` here is what is left without it. */
type UserDocument = Keyed &
  Omit<User, 'email' | 'accessLevel' | 'grants'> & {
    accessLevel: 'VIEWER' | 'MANAGER' | null
    grants: Grant[]
  }

export type MongoUserStore = UserStore & {
  /** Takes the grants on a runtime away from everybody. */
  forgetRuntime(runtimeId: string): Promise<void>
}

export function createMongoUserStore(engine: Db): MongoUserStore {
  const users = engine.collection<UserDocument>('users')
  const admins = createAdminList(engine)
  const isThere = (email: string) => ({ _id: { $eq: email }, removedAt: null })
  const requireUser = async (email: string): Promise<void> => {
    if ((await users.findOne(isThere(email))) === null) throw noUser(email)
  }

  return {
    async create({ email, accessLevel, grants, createdAt }) {
      await requireRuntimes(engine, grants)
      const level = accessLevel === 'ADMIN' ? null : accessLevel
      const fields = {
        accessLevel: level,
        grants: [...grants],
        createdAt,
        lastActivityAt: null,
        removedAt: null,
      }
      const isBack = { _id: { $eq: email }, removedAt: { $ne: null } }
      // What came into being after the removal, by a request that was under way then.
      if ((await users.findOne(isBack)) !== null) await endCredentials(engine, email)
      const back = await users.updateOne(isBack, { $set: fields })
      if (back.matchedCount === 0)
        try {
          await users.insertOne({ _id: email, ...fields })
        } catch (error) {
          if (!isDuplicate(error)) throw error
          throw new KreError('already-exists', 'there is already a user with the same email', {
            email,
          })
        }
      // Last: an interrupted creation leaves less than was asked for, never more.
      if (accessLevel === 'ADMIN') await admins.add(email)
    },
    async find(email) {
      const found = await users.findOne(keyIs(email))
      return found === null ? null : toUser(found, await admins.read())
    },
    async list() {
      const found = await users.find({ removedAt: null }).sort({ _id: 1 }).toArray()
      const admin = await admins.read()
      return found.map((document) => toUser(document, admin))
    },
    async setLevel(email, accessLevel) {
      await requireUser(email)
      if (accessLevel === 'ADMIN') {
        await admins.add(email)
        if ((await users.findOne(isThere(email))) !== null) return
        // Removed meanwhile: nobody who is gone counts as an administrator.
        await admins.remove(email)
        throw noUser(email)
      }
      // First out of the list, which may refuse it; without the list the level of before is none.
      await admins.remove(email)
      await users.updateOne(isThere(email), { $set: { accessLevel } })
    },
    async setGrants(email, grants) {
      await requireUser(email)
      await requireRuntimes(engine, grants)
      await users.updateOne(isThere(email), { $set: { grants: [...grants] } })
    },
    async remove(email, at) {
      await requireUser(email)
      await admins.remove(email)
      const gone = { removedAt: at, grants: [] }
      await users.updateOne(isThere(email), { $set: gone })
      await endCredentials(engine, email)
    },
    async touch(email, at) {
      await users.updateOne(
        {
          _id: { $eq: email },
          $or: [{ lastActivityAt: { $eq: null } }, { lastActivityAt: { $lt: at } }],
        },
        { $set: { lastActivityAt: at } },
      )
    },
    async forgetRuntime(runtimeId) {
      for (const accessLevel of ['VIEWER', 'MANAGER'] as const)
        await users.updateMany(
          { 'grants.runtimeId': { $eq: runtimeId } },
          { $pull: { grants: { runtimeId, accessLevel } } },
        )
    },
  }
}

async function endCredentials(engine: Db, email: string): Promise<void> {
  for (const name of ['sessions', 'verificationCodes', 'api_tokens'])
    await engine.collection(name).deleteMany({ user: { $eq: email } })
}

async function requireRuntimes(engine: Db, grants: readonly Grant[]): Promise<void> {
  for (const { runtimeId } of grants) {
    const found = await engine
      .collection<RuntimeDocument>('runtimes')
      .findOne({ _id: { $eq: runtimeId }, state: 'ready' })
    if (found === null)
      throw new KreError('not-found', `there is no runtime "${runtimeId}"`, { runtimeId })
  }
}

function noUser(email: string): KreError {
  return new KreError('not-found', `there is no user "${email}"`, { email })
}

function toUser(document: UserDocument, admins: ReadonlySet<string>): User {
  const isAdmin = admins.has(document._id)
  return {
    email: document._id,
    accessLevel: isAdmin ? 'ADMIN' : document.accessLevel,
    grants: document.grants
      .map(({ runtimeId, accessLevel }) => ({ runtimeId, accessLevel }))
      .toSorted((a, b) => (a.runtimeId < b.runtimeId ? -1 : 1)),
    createdAt: document.createdAt,
    lastActivityAt: document.lastActivityAt,
    removedAt: document.removedAt,
  }
}
