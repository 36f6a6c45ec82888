import type { Db } from 'mongodb'
import { ATTEMPT_COUNTERS_MAX, type AttemptStore } from '../../ports/identity-store.ts'
import { inTurn, turnOf } from '../in-turn.ts'
import type { Keyed } from '../mongo-databases.ts'
import { isDuplicate } from '../to-kre-error.ts'

type AttemptDocument = Keyed & { count: number; beganAt: Date; expiresAt: Date }

export function createMongoAttemptStore(engine: Db): AttemptStore {
  const attempts = engine.collection<AttemptDocument>('attempts')

  const addToLive = (key: string) =>
    attempts.findOneAndUpdate(
      { _id: { $eq: key } },
      { $inc: { count: 1 } },
      { returnDocument: 'after' },
    )

  const trim = async (): Promise<void> => {
    const [spare] = await attempts
      .find({})
      .sort({ beganAt: -1, _id: 1 })
      .skip(ATTEMPT_COUNTERS_MAX)
      .limit(1)
      .toArray()
    if (spare === undefined) return
    const { beganAt, _id } = spare
    await attempts.deleteMany({
      $or: [{ beganAt: { $lt: beganAt } }, { beganAt, _id: { $gte: _id } }],
    })
  }

  return {
    async add(key, expiresAt, now) {
      return inTurn(turnOf(attempts, key), async () => {
        await attempts.deleteMany({ expiresAt: { $lte: now } })
        const live = await addToLive(key)
        if (live !== null) return { count: live.count, expiresAt: live.expiresAt }
        try {
          await attempts.insertOne({ _id: key, count: 1, beganAt: now, expiresAt })
        } catch (error) {
          if (!isDuplicate(error)) throw error
          // Somebody began it between the two.
          const begun = await addToLive(key)
          return { count: begun?.count ?? 1, expiresAt: begun?.expiresAt ?? expiresAt }
        }
        await trim()
        return { count: 1, expiresAt }
      })
    },
  }
}
