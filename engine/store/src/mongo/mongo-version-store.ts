import { KreError, type BundleFacts } from '@kre/contracts'
import type { Collection, Filter } from 'mongodb'
import type { Version, VersionStore } from '../ports/store.ts'
import { createFactsCache, type FactsCache } from '../records/facts-cache.ts'
import { keyIs, takeNumbers, type Keyed, type MongoDatabases } from './mongo-databases.ts'
import { forgetVersion } from './mongo-release-store.ts'
import { writeOf } from './mongo-runtime-store.ts'
import { isDuplicate } from './to-kre-error.ts'

/** KRE's collection `versions` of the runtime's database; `name` is unique. */
type VersionDocument = Keyed &
  Omit<Version, 'id' | 'runtimeId' | 'facts'> & {
    /** Order of arrival. */
    seq: number
  }
/** By the version's id, apart: they are long, never change, and are known from the second time on. */
type FactsDocument = Keyed & {
  /** JSON: names in manifests are no names of fields. */
  facts: string
}

export function createMongoVersionStore(databases: MongoDatabases): VersionStore {
  const of = (runtimeId: string): Collection<VersionDocument> =>
    databases.runtime(runtimeId).collection('versions')
  const factsOf = (runtimeId: string): Collection<FactsDocument> =>
    databases.runtime(runtimeId).collection('versionFacts')
  const cache = createFactsCache()

  return {
    async create(version) {
      const { runtimeId, id } = version
      await writeOf(
        databases,
        runtimeId,
        async () => {
          const seq = await takeNumbers(databases.runtime(runtimeId), 'versions', 1)
          await keepFacts(factsOf(runtimeId), version)
          await insert(of(runtimeId), factsOf(runtimeId), toDocument(version, seq), version)
        },
        async () => {
          await of(runtimeId).deleteOne({ _id: { $eq: id } })
          await factsOf(runtimeId).deleteOne({ _id: { $eq: id } })
        },
      )
    },
    async find(runtimeId, name) {
      const found = await of(runtimeId).findOne({ name: { $eq: name } })
      if (found === null) return null
      return (await withFacts(factsOf(runtimeId), cache, runtimeId, [found]))[0] ?? null
    },
    async list(runtimeId) {
      const found = of(runtimeId).find({}).sort({ createdAt: -1, seq: -1 })
      return withFacts(factsOf(runtimeId), cache, runtimeId, await found.toArray())
    },
    async markPublished(runtimeId, name, by, at) {
      const { matchedCount } = await of(runtimeId).updateOne(
        { name: { $eq: name } },
        { $set: { publishedAt: at, publishedBy: by } },
      )
      if (matchedCount === 0)
        throw new KreError(
          'not-found',
          `there is no version "${name}" in runtime "${runtimeId}": it may have been deleted meanwhile`,
          { runtimeId, version: name },
        )
    },
    async remove(runtimeId, name) {
      // Its configuration holds secrets and must not wait for another version of the name, so it goes first:
      // after a crash between the steps the version is still there to be removed again.
      await databases
        .runtime(runtimeId)
        .collection<Keyed>('configs')
        .deleteOne({ _id: { $eq: name } })
      await forgetVersion(databases, runtimeId, name)
      const removed = await of(runtimeId).findOneAndDelete({ name: { $eq: name } })
      // What a crash leaves here goes with the runtime: ids are never used again.
      if (removed !== null) await factsOf(runtimeId).deleteOne({ _id: { $eq: removed._id } })
    },
    async usesBundle(digest) {
      for await (const { _id } of databases.engine.collection<Keyed>('runtimes').find({}))
        if ((await of(_id).findOne({ bundleDigest: { $eq: digest } })) !== null) return true
      return false
    },
  }
}

/** Versions that were removed since their rows were read are left out. */
async function withFacts(
  kept: Collection<FactsDocument>,
  cache: FactsCache,
  runtimeId: string,
  rows: readonly VersionDocument[],
): Promise<Version[]> {
  const missing = rows.map((row) => row._id).filter((id) => cache.find(id) === null)
  const read = new Map<string, string>()
  if (missing.length > 0)
    for await (const { _id, facts } of kept.find(oneOf(missing))) read.set(_id, facts)
  return rows.flatMap((row) => {
    const facts = cache.get(row._id, () => read.get(row._id) ?? null)
    return facts === null ? [] : [toVersion(runtimeId, row, facts)]
  })
}

/** A key alone is what every server finds without a look at the others. */
function oneOf(ids: readonly string[]): Filter<FactsDocument> {
  const [first] = ids
  return first !== undefined && ids.length === 1 ? keyIs(first) : { _id: { $in: [...ids] } }
}

/** Before the version: one without its facts would be there and not be seen. */
async function keepFacts(kept: Collection<FactsDocument>, { id, facts }: Version): Promise<void> {
  try {
    await kept.insertOne({ _id: id, facts: JSON.stringify(facts) })
  } catch (error) {
    if (!isDuplicate(error)) throw error
  }
}

async function insert(
  versions: Collection<VersionDocument>,
  kept: Collection<FactsDocument>,
  document: VersionDocument,
  { runtimeId, name }: Version,
): Promise<void> {
  try {
    await versions.insertOne(document)
  } catch (error) {
    if (!isDuplicate(error)) throw error
    const winner = await versions.findOne({ _id: { $eq: document._id } })
    if (winner === null) await kept.deleteOne({ _id: { $eq: document._id } })
    throw new KreError(
      'already-exists',
      `there is already a version "${name}" in runtime "${runtimeId}": choose another version name`,
      { runtimeId, version: name },
    )
  }
}

function toDocument(version: Version, seq: number): VersionDocument {
  const { id, runtimeId: _runtime, facts: _facts, ...fields } = version
  return { _id: id, ...fields, seq }
}

function toVersion(runtimeId: string, document: VersionDocument, facts: BundleFacts): Version {
  return {
    id: document._id,
    runtimeId,
    name: document.name,
    description: document.description,
    bundleDigest: document.bundleDigest,
    bundleBytes: document.bundleBytes,
    facts,
    createdAt: document.createdAt,
    createdBy: document.createdBy,
    publishedAt: document.publishedAt,
    publishedBy: document.publishedBy,
  }
}
