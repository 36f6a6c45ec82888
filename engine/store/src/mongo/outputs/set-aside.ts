import type { Binary, Collection } from 'mongodb'
import {
  SET_ASIDE_MESSAGES_MAX,
  SET_ASIDE_PAYLOAD_BYTES_MAX,
  type SetAsideMessage,
} from '../../ports/store.ts'
import type { DatabaseClaims } from '../claim-databases.ts'
import { firstOf, takeNumbers, type Keyed, type MongoDatabases } from '../mongo-databases.ts'

type SetAsideDocument = Keyed &
  Omit<SetAsideMessage, 'id' | 'runtimeId' | 'payload'> & {
    seq: number
    payload: Binary | Uint8Array
  }

export async function setAside(
  { databases, claims }: { databases: MongoDatabases; claims: DatabaseClaims },
  messages: readonly SetAsideMessage[],
): Promise<void> {
  for (const [runtimeId, own] of Map.groupBy(messages, (message) => message.runtimeId)) {
    await claims.take(runtimeId)
    const first = await takeNumbers(databases.runtime(runtimeId), 'setAside', own.length)
    const collection = setAsideOf(databases, runtimeId)
    await collection.bulkWrite(
      own.map((message, index) => upsert(message, first + index)),
      { ordered: false },
    )
    await trim(collection)
  }
}

export async function listSetAside(
  databases: MongoDatabases,
  runtimeId: string,
  limit: number,
): Promise<SetAsideMessage[]> {
  const newestFirst = setAsideOf(databases, runtimeId)
    .find({}, { promoteBuffers: true })
    .sort({ seq: -1 })
  const found = await firstOf(newestFirst, limit)
  return found.map(({ _id, payload, ...fields }) => ({
    id: _id,
    runtimeId,
    subject: fields.subject,
    reason: fields.reason,
    payloadBytes: fields.payloadBytes,
    at: fields.at,
    payload: payload instanceof Uint8Array ? payload : payload.buffer,
  }))
}

function upsert(message: SetAsideMessage, seq: number) {
  const { id, subject, reason, payload, payloadBytes, at } = message
  const kept = Buffer.from(payload.subarray(0, SET_ASIDE_PAYLOAD_BYTES_MAX))
  const fields = { subject, reason, payload: kept, payloadBytes, at, seq }
  return { updateOne: { filter: { _id: id }, update: { $setOnInsert: fields }, upsert: true } }
}

async function trim(collection: Collection<SetAsideDocument>): Promise<void> {
  const [oldest] = await collection
    .find({}, { projection: { seq: 1 } })
    .sort({ seq: -1 })
    .skip(SET_ASIDE_MESSAGES_MAX)
    .limit(1)
    .toArray()
  if (oldest !== undefined) await collection.deleteMany({ seq: { $lte: oldest.seq } })
}

function setAsideOf(databases: MongoDatabases, runtimeId: string): Collection<SetAsideDocument> {
  return databases.runtime(runtimeId).collection('setAside')
}
