import type { Db, IndexDescription } from 'mongodb'
import type { MongoMigration } from './migrate.ts'
import type { Keyed, MongoDatabases } from './mongo-databases.ts'

type Indexes = Readonly<Record<string, readonly IndexDescription[]>>

/** Of the engine's database. Names are given: a changed index gets a new one. */
const ENGINE_INDEXES: Indexes = {
  runtimes: [{ name: 'nameKey', key: { nameKey: 1 }, unique: true }],
  sessions: [
    { name: 'id', key: { id: 1 }, unique: true },
    { name: 'user', key: { user: 1, createdAt: -1 } },
    { name: 'expiresAt', key: { expiresAt: 1 } },
  ],
  verificationCodes: [
    { name: 'user', key: { user: 1 } },
    { name: 'expiresAt', key: { expiresAt: 1 } },
  ],
  api_tokens: [{ name: 'user_name', key: { user: 1, name: 1 }, unique: true }],
  attempts: [
    { name: 'expiresAt', key: { expiresAt: 1 } },
    { name: 'beganAt', key: { beganAt: -1, _id: 1 } },
  ],
  userActivity: [
    { name: 'follows', key: { follows: 1 }, unique: true },
    { name: 'closes', key: { closes: 1 }, unique: true },
    { name: 'kind', key: { kind: 1, _id: -1 } },
    { name: 'kind_actor', key: { kind: 1, actor: 1, _id: -1 } },
    { name: 'kind_type', key: { kind: 1, type: 1, _id: -1 } },
    { name: 'kind_runtimeId', key: { kind: 1, runtimeId: 1, _id: -1 } },
    { name: 'kind_versionId', key: { kind: 1, versionId: 1, _id: -1 } },
  ],
  'krt.files': [{ name: 'filename', key: { filename: 1, uploadDate: 1 } }],
  'krt.chunks': [{ name: 'files_id_1_n_1', key: { files_id: 1, n: 1 }, unique: true }],
}

/** Fields of log lines that have few values. */
const LOG_FILTERS = { level: 1, nodeId: 1, workflowId: 1 } as const

/** Of each runtime's database. */
const RUNTIME_INDEXES: Indexes = {
  versions: [
    { name: 'name', key: { name: 1 }, unique: true },
    { name: 'bundleDigest', key: { bundleDigest: 1 } },
  ],
  logs: [
    // What is filtered by is in them, so that lines are read only when they are answered.
    { name: 'date_seq_filters', key: { date: 1, seq: 1, ...LOG_FILTERS } },
    { name: 'version_date_seq_filters', key: { versionName: 1, date: 1, seq: 1, ...LOG_FILTERS } },
    { name: 'requestId_date_seq', key: { requestId: 1, date: 1, seq: 1 } },
  ],
  measurements: [
    { name: 'measurement_date', key: { versionName: 1, measurement: 1, date: 1, seq: 1 } },
    { name: 'date', key: { date: 1 } },
  ],
  traffic: [
    { name: 'version_step_at', key: { version: 1, stepMs: 1, at: 1 } },
    { name: 'step_at', key: { stepMs: 1, at: 1 } },
  ],
  trafficScopes: [{ name: 'version', key: { version: 1 } }],
  requests: [
    { name: 'version_startedAt', key: { version: 1, startedAt: -1, seq: -1 } },
    { name: 'version_kept_seq', key: { version: 1, kept: 1, seq: -1 } },
    { name: 'id_seq', key: { id: 1, seq: -1 } },
    { name: 'startedAt', key: { startedAt: 1 } },
  ],
  setAside: [{ name: 'seq', key: { seq: 1 } }],
  messageSamples: [
    { name: 'edge', key: { version: 1, workflow: 1, node: 1, fromNode: 1, seq: -1 } },
    { name: 'version_requestId', key: { version: 1, requestId: 1 } },
    { name: 'at', key: { at: 1 } },
  ],
}

/** Of each runtime's database for data; other collections get theirs when they are made. */
const DATA_INDEXES: Indexes = {
  classificationMetrics: [
    { name: 'date', key: { '_kre.kind': 1, versionName: 1, date: 1, '_kre.seq': 1 } },
  ],
}

export const MIGRATIONS: readonly MongoMigration[] = [
  {
    name: 'collections and indexes',
    async run(databases) {
      await makeIndexes(databases.engine, ENGINE_INDEXES)
      await forEachRuntime(databases, (runtimeId) => indexRuntime(databases, runtimeId))
    },
  },
  {
    name: 'samples of messages',
    run: (databases) =>
      forEachRuntime(databases, (runtimeId) => indexRuntime(databases, runtimeId)),
  },
  {
    name: 'log lines by version, facts of versions apart',
    run: (databases) =>
      forEachRuntime(databases, async (runtimeId) => {
        await indexRuntime(databases, runtimeId)
        await dropIndex(databases.runtime(runtimeId), 'logs', 'date_seq')
        await moveFacts(databases.runtime(runtimeId))
      }),
  },
]

/** Indexes that are there already stay; on a large collection the server builds them while it serves. */
export async function indexRuntime(databases: MongoDatabases, runtimeId: string): Promise<void> {
  await makeIndexes(databases.runtime(runtimeId), RUNTIME_INDEXES)
  await makeIndexes(databases.data(runtimeId), DATA_INDEXES)
}

async function makeIndexes(db: Db, indexes: Indexes): Promise<void> {
  // One by one: FerretDB drops the connection when several of a list are there already.
  for (const [collection, descriptions] of Object.entries(indexes))
    for (const description of descriptions)
      await db.collection(collection).createIndexes([description])
}

/** What another one begins with. Another engine may do the same. */
async function dropIndex(db: Db, collection: string, name: string): Promise<void> {
  const isThere = async () => {
    const found = await db.collection(collection).listIndexes().toArray()
    return found.some((index) => index['name'] === name)
  }
  if (!(await isThere())) return
  try {
    await db.collection(collection).dropIndex(name)
  } catch (error) {
    if (await isThere()) throw error
  }
}

async function moveFacts(db: Db): Promise<void> {
  const versions = db.collection<Keyed & { facts?: string }>('versions')
  const kept = db.collection<Keyed & { facts: string }>('versionFacts')
  for (const { _id, facts } of await versions.find({ facts: { $exists: true } }).toArray()) {
    if (facts === undefined) continue
    await kept.replaceOne({ _id }, { facts }, { upsert: true })
    await versions.updateOne({ _id }, { $unset: { facts: '' } })
  }
}

async function forEachRuntime(
  { engine }: MongoDatabases,
  work: (runtimeId: string) => Promise<void>,
): Promise<void> {
  for await (const { _id } of engine.collection<{ _id: string }>('runtimes').find({}))
    await work(_id)
}
