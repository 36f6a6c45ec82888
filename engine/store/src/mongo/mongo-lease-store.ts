import type { Collection } from 'mongodb'
import type { Lease, LeaseStore } from '../ports/lease-store.ts'
import { inTurn, turnOf } from './in-turn.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'
import { isDuplicate } from './to-kre-error.ts'

type LeaseDocument = Keyed & Omit<Lease, 'name'>

export function createMongoLeaseStore({ engine }: Pick<MongoDatabases, 'engine'>): LeaseStore {
  const leases: Collection<LeaseDocument> = engine.collection('leases')
  const of = (name: string) => ({ _id: { $eq: name } })
  const held = ({ name, holder, token }: Pick<Lease, 'name' | 'holder' | 'token'>) => ({
    ...of(name),
    holder: { $eq: holder },
    token: { $eq: token },
  })
  const turn = <T>(name: string, work: () => Promise<T>) => inTurn(turnOf(leases, name), work)

  return {
    async read(name) {
      const found = await leases.findOne(of(name))
      return found === null ? null : toLease(found)
    },
    list: async () => (await leases.find({}).toArray()).map(toLease),
    take: ({ name, holder, place }, seen) =>
      turn(name, async () => {
        if (seen === null) {
          const first: LeaseDocument = { _id: name, holder, place, token: 1, beat: 1 }
          return (await insertNew(leases, first)) ? toLease(first) : null
        }
        const taken = await leases.findOneAndUpdate(
          { ...of(name), token: { $eq: seen.token }, beat: { $eq: seen.beat } },
          { $set: { holder, place, token: seen.token + 1, beat: seen.beat + 1 } },
          { returnDocument: 'after' },
        )
        return taken === null ? null : toLease(taken)
      }),
    renew: (lease) =>
      turn(lease.name, async () => {
        const renewed = await leases.findOneAndUpdate(
          held(lease),
          { $inc: { beat: 1 } },
          { returnDocument: 'after' },
        )
        return renewed?.beat ?? null
      }),
    release: (lease, place) =>
      turn(lease.name, async () => {
        await leases.updateOne(held(lease), { $set: { holder: null, place }, $inc: { beat: 1 } })
      }),
    remove: (lease) =>
      turn(lease.name, async () => {
        await leases.deleteOne(held(lease))
      }),
  }
}

/** False when it is there already. */
async function insertNew(
  leases: Collection<LeaseDocument>,
  lease: LeaseDocument,
): Promise<boolean> {
  try {
    await leases.insertOne(lease)
    return true
  } catch (error) {
    if (isDuplicate(error)) return false
    throw error
  }
}

function toLease({ _id, holder, place, token, beat }: LeaseDocument): Lease {
  // FerretDB leaves fields out that are null.
  return { name: _id, holder: holder ?? null, place: place ?? null, token, beat }
}
