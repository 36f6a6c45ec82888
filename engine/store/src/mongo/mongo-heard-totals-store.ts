import type { Collection } from 'mongodb'
import type { HeardTotalsStore } from '../ports/heard-totals-store.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'

type TotalsDocument = Keyed & { heardAt: Date; totals: string }

export function createMongoHeardTotalsStore({
  engine,
}: Pick<MongoDatabases, 'engine'>): HeardTotalsStore {
  const heard: Collection<TotalsDocument> = engine.collection('heardTotals')
  return {
    async put(all) {
      if (all.length === 0) return
      await heard.bulkWrite(
        all.map(({ process, heardAt, totals }) => ({
          replaceOne: {
            filter: { _id: { $eq: process } },
            replacement: { heardAt, totals },
            upsert: true,
          },
        })),
        { ordered: false },
      )
    },
    async since(moment) {
      const found = await heard.find({ heardAt: { $gte: moment } }).toArray()
      return found.map(({ _id, heardAt, totals }) => ({ process: _id, heardAt, totals }))
    },
    async expire(olderThan) {
      return (await heard.deleteMany({ heardAt: { $lt: olderThan } })).deletedCount
    },
  }
}
