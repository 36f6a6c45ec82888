import { KreError, type Release, type RunningVersion } from '@kre/contracts'
import type { Collection } from 'mongodb'
import type { ReleaseStore } from '../ports/store.ts'
import { firstOf, type Keyed, type MongoDatabases } from './mongo-databases.ts'
import { writeOf } from './mongo-runtime-store.ts'
import { isDuplicate } from './to-kre-error.ts'

/** `_id` is the generation: of two writers of the same one, the unique key lets one win. */
type ReleaseDocument = Keyed<number> & {
  running: RunningVersion[]
  published: string | null
  cause: Release['cause']
  /** Every version that a release up to this one wanted, with the last generation that did. */
  wanted: { version: string; generation: number }[]
}

/** A version that was removed: what releases up to the generation wanted was another version of the name. */
type ForgottenDocument = Keyed & { generation: number }

export function createMongoReleaseStore(databases: MongoDatabases): ReleaseStore {
  const of = (runtimeId: string) => releasesOf(databases, runtimeId)
  return {
    async current(runtimeId) {
      const found = await newest(of(runtimeId))
      return found === null ? null : toRelease(runtimeId, found)
    },
    async history(runtimeId, limit) {
      const found = await firstOf(of(runtimeId).find({}).sort({ _id: -1 }), limit)
      return found.map((document) => toRelease(runtimeId, document))
    },
    async everRunning(runtimeId) {
      const found = await newest(of(runtimeId))
      return new Set((await stillWanted(databases, runtimeId, found)).map(({ version }) => version))
    },
    async append(release) {
      const { runtimeId, generation } = release
      await writeOf(
        databases,
        runtimeId,
        () => append(databases, release),
        () => of(runtimeId).deleteOne({ _id: generation }),
      )
    },
  }
}

/** Makes the next version of the name a new one, that has never run. */
export async function forgetVersion(
  databases: MongoDatabases,
  runtimeId: string,
  version: string,
): Promise<void> {
  const generation = (await newest(releasesOf(databases, runtimeId)))?._id
  if (generation === undefined) return
  await forgottenOf(databases, runtimeId).updateOne(
    { _id: version },
    { $set: { generation } },
    { upsert: true },
  )
}

async function append(databases: MongoDatabases, release: Release): Promise<void> {
  const { runtimeId, generation, running, published, cause } = release
  const releases = releasesOf(databases, runtimeId)
  const before = await newest(releases)
  const inForce = before?._id ?? 0
  if (generation !== inForce + 1) throw notNext(release, inForce)
  const wanted = new Map(
    (await stillWanted(databases, runtimeId, before)).map((each) => [each.version, each]),
  )
  for (const { version } of running) wanted.set(version, { version, generation })
  try {
    await releases.insertOne({
      _id: generation,
      running: [...running],
      published,
      cause,
      wanted: [...wanted.values()],
    })
  } catch (error) {
    if (isDuplicate(error)) throw notNext(release, generation)
    throw error
  }
}

async function stillWanted(
  databases: MongoDatabases,
  runtimeId: string,
  release: ReleaseDocument | null,
): Promise<ReleaseDocument['wanted']> {
  if (release === null) return []
  const forgotten = await forgottenOf(databases, runtimeId).find({}).toArray()
  const until = new Map(forgotten.map(({ _id, generation }) => [_id, generation]))
  return release.wanted.filter(({ version, generation }) => generation > (until.get(version) ?? 0))
}

async function newest(releases: Collection<ReleaseDocument>): Promise<ReleaseDocument | null> {
  const [found] = await releases.find({}).sort({ _id: -1 }).limit(1).toArray()
  return found ?? null
}

function releasesOf(databases: MongoDatabases, runtimeId: string): Collection<ReleaseDocument> {
  return databases.runtime(runtimeId).collection('releases')
}

function forgottenOf(databases: MongoDatabases, runtimeId: string): Collection<ForgottenDocument> {
  return databases.runtime(runtimeId).collection('forgottenVersions')
}

function notNext({ runtimeId, generation }: Release, inForce: number): KreError {
  return new KreError(
    'aborted',
    `release ${generation} of runtime "${runtimeId}" does not follow release ${inForce}: somebody was faster; read the current release and try again`,
    { runtimeId, generation, newest: inForce },
  )
}

function toRelease(runtimeId: string, document: ReleaseDocument): Release {
  const { _id, running, published, cause } = document
  return { runtimeId, generation: _id, running, published, cause }
}
