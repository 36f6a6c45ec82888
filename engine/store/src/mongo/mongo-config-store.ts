import { KreError } from '@kre/contracts'
import type { Collection } from 'mongodb'
import type { ConfigEntry, ConfigStore } from '../ports/store.ts'
import { inTurn, turnOf } from './in-turn.ts'
import { keyIs, type Keyed, type MongoDatabases } from './mongo-databases.ts'
import { writeOf } from './mongo-runtime-store.ts'
import { isDuplicate, isTooLarge } from './to-kre-error.ts'

/** All entries of a version in one document, so that a change of several is one step. */
type ConfigDocument = Keyed & {
  generation: number
  /** Counts every write, also one that changes the form of a value alone: who read an older one tries again. */
  revision: number
  entries: ConfigEntry[]
}
type Content = Omit<ConfigDocument, '_id'>

/** Of so many writers at once each gets its turn; more is a fault. */
const TRIES_MAX = 100

export function createMongoConfigStore(databases: MongoDatabases): ConfigStore {
  const of = (runtimeId: string): Collection<ConfigDocument> =>
    databases.runtime(runtimeId).collection('configs')
  const read = (runtimeId: string, version: string) => of(runtimeId).findOne(keyIs(version))

  return {
    async get(runtimeId, version) {
      const found = await read(runtimeId, version)
      return (found?.entries ?? []).toSorted(byKey)
    },
    async set(runtimeId, version, entries, ifGeneration) {
      const decide = (before: Content): Content | null => {
        if (ifGeneration !== undefined && ifGeneration !== before.generation)
          throw changedMeanwhile(version, ifGeneration, before.generation)
        if (entries.length === 0) return null
        const merged = new Map(before.entries.map((entry) => [entry.key, entry]))
        for (const { key, type, value, updatedAt } of entries)
          merged.set(key, { key, type, value, updatedAt })
        return { ...before, generation: before.generation + 1, entries: [...merged.values()] }
      }
      if (entries.length === 0)
        return (await change(of(runtimeId), version, decide)).content.generation
      const { content } = await writeOf(
        databases,
        runtimeId,
        () => change(of(runtimeId), version, decide),
        () => of(runtimeId).deleteOne({ _id: { $eq: version } }),
      )
      return content.generation
    },
    async replaceValue(runtimeId, version, key, from, to) {
      const { isChanged } = await change(of(runtimeId), version, (before) =>
        before.entries.some((entry) => entry.key === key && entry.value === from)
          ? {
              ...before,
              entries: before.entries.map((entry) =>
                entry.key === key ? { ...entry, value: to } : entry,
              ),
            }
          : null,
      )
      return isChanged
    },
    async eraseReplaced() {
      // A server keeps what was replaced in its journal and oplog until those move on; no client can hurry that.
    },
    async generation(runtimeId, version) {
      return (await read(runtimeId, version))?.generation ?? 0
    },
    async remove(runtimeId, version) {
      await of(runtimeId).deleteOne({ _id: { $eq: version } })
    },
  }
}

/** Reads, decides, and writes if nobody else has written meanwhile; else again. `decide` returns null to write nothing. */
async function change(
  configs: Collection<ConfigDocument>,
  version: string,
  decide: (before: Content) => Content | null,
): Promise<{ content: Content; isChanged: boolean }> {
  return inTurn(turnOf(configs, version), async () => {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const found = await configs.findOne(keyIs(version))
      const before: Content = found ?? { generation: 0, revision: 0, entries: [] }
      const decided = decide(before)
      if (decided === null) return { content: before, isChanged: false }
      const { generation, entries } = decided
      const content = { generation, entries, revision: before.revision + 1 }
      if (await writeIf(configs, version, found === null ? null : before.revision, content))
        return { content, isChanged: true }
    }
    throw new KreError(
      'unavailable',
      `the configuration of "${version}" is being changed by too many at once: try again`,
    )
  })
}

/** @param revision the one that is replaced; null = there is none yet. @returns whether it was still so. */
async function writeIf(
  configs: Collection<ConfigDocument>,
  version: string,
  revision: number | null,
  content: Content,
): Promise<boolean> {
  try {
    if (revision === null) {
      await configs.insertOne({ _id: version, ...content })
      return true
    }
    const { matchedCount } = await configs.replaceOne({ _id: { $eq: version }, revision }, content)
    return matchedCount === 1
  } catch (error) {
    if (isDuplicate(error)) return false
    if (isTooLarge(error))
      throw new KreError(
        'resource-exhausted',
        `the configuration of "${version}" would have more than 16 MiB in all, which MongoDB does not store: set smaller values`,
        { version },
        { cause: error },
      )
    throw error
  }
}

function changedMeanwhile(version: string, expected: number, inForce: number): KreError {
  return new KreError(
    'aborted',
    `the configuration of "${version}" was changed meanwhile (generation ${inForce} instead of ${expected}): read it again and decide anew`,
    { expected, inForce },
  )
}

/** By code units, as SQLite orders text. */
function byKey(a: ConfigEntry, b: ConfigEntry): number {
  return a.key < b.key ? -1 : Number(a.key > b.key)
}
