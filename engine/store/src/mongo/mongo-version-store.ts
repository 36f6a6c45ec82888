import { KreError, type BundleFacts } from '@kre/contracts'
import type { Collection } from 'mongodb'
import type { Version, VersionStore } from '../ports/store.ts'
import { createFactsCache, type FactsCache } from '../records/facts-cache.ts'
import { takeNumbers, type Keyed, type MongoDatabases } from './mongo-databases.ts'
import { forgetVersion } from './mongo-release-store.ts'
import { writeOf } from './mongo-runtime-store.ts'
import { isDuplicate } from './to-kre-error.ts'

/** KRE's collection `versions` of the runtime's database; `name` is unique. */
type VersionDocument = Keyed &
  Omit<Version, 'id' | 'runtimeId' | 'facts'> & {
    /** Order of arrival. */
    seq: number
    /** JSON: names in manifests are no names of fields. */
    facts: string
  }

export function createMongoVersionStore(databases: MongoDatabases): VersionStore {
  const of = (runtimeId: string): Collection<VersionDocument> =>
    databases.runtime(runtimeId).collection('versions')
  const facts = createFactsCache()

  return {
    async create(version) {
      const { runtimeId, id } = version
      await writeOf(
        databases,
        runtimeId,
        async () => {
          const seq = await takeNumbers(databases.runtime(runtimeId), 'versions', 1)
          await insert(of(runtimeId), toDocument(version, seq), version)
        },
        () => of(runtimeId).deleteOne({ _id: { $eq: id } }),
      )
    },
    async find(runtimeId, name) {
      const found = await of(runtimeId).findOne({ name: { $eq: name } }, WITHOUT_FACTS)
      if (found === null) return null
      return (await withFacts(of(runtimeId), facts, runtimeId, [found]))[0] ?? null
    },
    async list(runtimeId) {
      const found = of(runtimeId).find({}, WITHOUT_FACTS).sort({ createdAt: -1, seq: -1 })
      return withFacts(of(runtimeId), facts, runtimeId, await found.toArray())
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
      await of(runtimeId).deleteOne({ name: { $eq: name } })
    },
    async usesBundle(digest) {
      for await (const { _id } of databases.engine.collection<Keyed>('runtimes').find({}))
        if ((await of(_id).findOne({ bundleDigest: { $eq: digest } })) !== null) return true
      return false
    },
  }
}

/** They are long, and known from the second time on. */
const WITHOUT_FACTS = { projection: { facts: 0 } }
type Row = Omit<VersionDocument, 'facts'>

/** Versions that were removed since their rows were read are left out. */
async function withFacts(
  versions: Collection<VersionDocument>,
  cache: FactsCache,
  runtimeId: string,
  rows: readonly Row[],
): Promise<Version[]> {
  const missing = rows.map((row) => row._id).filter((id) => cache.find(id) === null)
  const read = new Map<string, string>()
  if (missing.length > 0)
    for await (const { _id, facts } of versions.find({ _id: { $in: missing } }))
      read.set(_id, facts)
  return rows.flatMap((row) => {
    const facts = cache.get(row._id, () => read.get(row._id) ?? null)
    return facts === null ? [] : [toVersion(runtimeId, row, facts)]
  })
}

async function insert(
  versions: Collection<VersionDocument>,
  document: VersionDocument,
  { runtimeId, name }: Version,
): Promise<void> {
  try {
    await versions.insertOne(document)
  } catch (error) {
    if (!isDuplicate(error)) throw error
    throw new KreError(
      'already-exists',
      `there is already a version "${name}" in runtime "${runtimeId}": choose another version name`,
      { runtimeId, version: name },
    )
  }
}

function toDocument(version: Version, seq: number): VersionDocument {
  const { id, runtimeId: _, facts, ...fields } = version
  return { _id: id, ...fields, seq, facts: JSON.stringify(facts) }
}

function toVersion(runtimeId: string, document: Row, facts: BundleFacts): Version {
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
