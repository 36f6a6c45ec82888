import { Binary, type Collection, type Filter } from 'mongodb'
import {
  SAMPLES_PER_EDGE_MAX,
  type MessagePart,
  type MessageSample,
  type SampleQuery,
  type SampleStore,
} from '../ports/sample-store.ts'
import { REQUEST_STEPS_MAX } from '../ports/request-store.ts'
import type { DatabaseClaims } from './claim-databases.ts'
import { insertMissing } from './insert-missing.ts'
import { firstOf, takeNumbers, type Keyed, type MongoDatabases } from './mongo-databases.ts'

type PartDocument = Omit<MessagePart, 'data'> & { data: Binary }
type SampleDocument = Keyed &
  Omit<MessageSample, 'input' | 'output'> & {
    version: string
    seq: number
    input: PartDocument
    output: PartDocument | null
  }
type SamplingDocument = Keyed & { runtimeId: string; version: string; until: Date }

export type MongoSampleStore = SampleStore & {
  /** Ends the sampling of a runtime's versions, when the runtime goes; the samples go with its database. */
  forgetRuntime: (runtimeId: string) => Promise<void>
}

/** Samples are in the runtime's database; what is sampled is in the engine's, since it is asked of all at once. */
export function createMongoSampleStore(
  databases: MongoDatabases,
  claims: DatabaseClaims,
): MongoSampleStore {
  const of = (runtimeId: string): Collection<SampleDocument> =>
    databases.runtime(runtimeId).collection('messageSamples')
  const samplings: Collection<SamplingDocument> = databases.engine.collection('samplings')
  const keyOf = (runtimeId: string, version: string) => [runtimeId, version].map(escaped).join('/')

  return {
    async setSampling(runtimeId, version, until) {
      const _id = keyOf(runtimeId, version)
      if (until === null) await samplings.deleteOne({ _id: { $eq: _id } })
      else
        await samplings.replaceOne(
          { _id: { $eq: _id } },
          { runtimeId, version, until },
          { upsert: true },
        )
    },
    async samplings(now) {
      const found = await samplings.find({ until: { $gt: now } }).toArray()
      return found.map(({ runtimeId, version, until }) => ({ runtimeId, version, until }))
    },
    async samplingUntil(runtimeId, version, now) {
      const filter = { _id: { $eq: keyOf(runtimeId, version) }, until: { $gt: now } }
      return (await samplings.findOne(filter))?.until ?? null
    },
    async add(runtimeId, version, samples) {
      if (samples.length === 0) return
      await claims.take(runtimeId)
      const database = databases.runtime(runtimeId)
      const first = await takeNumbers(database, 'messageSamples', samples.length)
      await insertMissing(
        of(runtimeId),
        samples.map((sample, index) => ({
          ...sample,
          _id: [version, sample.requestId, sample.stepId].map(escaped).join('/'),
          version,
          seq: first + index,
          input: toDocument(sample.input),
          output: sample.output === null ? null : toDocument(sample.output),
        })),
      )
      const edges = new Map(
        samples.map((one) => [`${one.workflow}/${one.fromNode}/${one.node}`, one]),
      )
      for (const edge of edges.values()) await trimEdge(of(runtimeId), version, edge)
    },
    async list(runtimeId, version, query) {
      const found = of(runtimeId).find(toFilter(version, query)).sort({ seq: -1 })
      const limit = 'limit' in query ? query.limit : REQUEST_STEPS_MAX
      return (await firstOf(found, limit)).map(toSample)
    },
    async remove(runtimeId, version) {
      await samplings.deleteOne({ _id: { $eq: keyOf(runtimeId, version) } })
      await of(runtimeId).deleteMany({ version: { $eq: version } })
    },
    async expire(olderThan, now) {
      await samplings.deleteMany({ until: { $lte: now } })
      let removed = 0
      for (const runtimeId of await claims.runtimeIds())
        removed += (await of(runtimeId).deleteMany({ at: { $lt: olderThan } })).deletedCount
      return removed
    },
    async forgetRuntime(runtimeId) {
      await samplings.deleteMany({ runtimeId: { $eq: runtimeId } })
    },
  }
}

/** So that a slash ends a part, whatever it is called. */
function escaped(part: string): string {
  return part.replaceAll('%', '%25').replaceAll('/', '%2F')
}

async function trimEdge(
  samples: Collection<SampleDocument>,
  version: string,
  { workflow, node, fromNode }: MessageSample,
): Promise<void> {
  const edge = toFilter(version, { workflow, node, fromNode, limit: 1 })
  const [spare] = await samples
    .find(edge, { projection: { seq: 1 } })
    .sort({ seq: -1 })
    .skip(SAMPLES_PER_EDGE_MAX)
    .limit(1)
    .toArray()
  if (spare !== undefined) await samples.deleteMany({ $and: [edge, { seq: { $lte: spare.seq } }] })
}

function toFilter(version: string, query: SampleQuery): Filter<SampleDocument> {
  if ('requestId' in query)
    return { version: { $eq: version }, requestId: { $eq: query.requestId } }
  const { workflow, node, fromNode } = query
  return {
    version: { $eq: version },
    workflow: { $eq: workflow },
    node: { $eq: node },
    ...(fromNode === undefined ? {} : { fromNode: { $eq: fromNode } }),
  }
}

function toDocument({ data, ...part }: MessagePart): PartDocument {
  return { ...part, data: new Binary(data) }
}

function toPart({ typeName, bytes, data }: PartDocument): MessagePart {
  return { typeName, bytes, data: new Uint8Array(data.buffer.subarray(0, data.position)) }
}

function toSample(document: SampleDocument): MessageSample {
  const { requestId, stepId, workflow, node, fromNode, at } = document
  return {
    requestId,
    stepId,
    workflow,
    node,
    fromNode,
    at,
    input: toPart(document.input),
    output: document.output === null ? null : toPart(document.output),
  }
}
