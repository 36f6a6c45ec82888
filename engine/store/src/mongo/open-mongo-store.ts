import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { openFolderBundleStore } from '../bundles/folder-bundle-store.ts'
import type { Store } from '../ports/store.ts'
import { openFolderUploadStore } from '../uploads/folder-upload-store.ts'
import { createDatabaseClaims } from './claim-databases.ts'
import { connectMongo, type MongoConnection } from './connect-mongo.ts'
import { guardMethods } from './guard-methods.ts'
import { createMongoHeardTotalsStore } from './mongo-heard-totals-store.ts'
import { createMongoLeaseStore } from './mongo-lease-store.ts'
import { createMongoIdentityStore } from './identity/mongo-identity-store.ts'
import { migrateMongo } from './migrate.ts'
import { MIGRATIONS } from './migrations.ts'
import { createMongoAuditStore } from './mongo-audit-store.ts'
import { createMongoBundleStore } from './mongo-bundle-store.ts'
import { createMongoConfigStore } from './mongo-config-store.ts'
import { mongoDatabases } from './mongo-databases.ts'
import { createMongoLogRetentionStore } from './mongo-log-retention-store.ts'
import { createMongoOutputStore } from './mongo-output-store.ts'
import { createMongoPlacementStore } from './mongo-placement-store.ts'
import { createMongoPredictionStats } from './mongo-prediction-stats.ts'
import { createMongoReleaseStore } from './mongo-release-store.ts'
import { createMongoRequestStore } from './mongo-request-store.ts'
import { createMongoRuntimeStore } from './mongo-runtime-store.ts'
import { createMongoSampleStore } from './mongo-sample-store.ts'
import { createMongoTrafficStore } from './mongo-traffic-store.ts'
import { createMongoVersionStore } from './mongo-version-store.ts'
import { createDataCollections } from './outputs/data-collections.ts'
import { createLogUsageCounts } from './outputs/log-usage.ts'
import { toKreError } from './to-kre-error.ts'

export type MongoStoreOptions = {
  /** `mongodb://…` or `mongodb+srv://…`. */
  uri: string
  /** Folder of this computer for copies of archives and files under way. */
  cacheDir: string
  /** No other engine works on the folder, so what is under way there was left by a crash and goes; default true. */
  isAlone?: boolean
  /** In front of every database's name, for several engines on one server; empty = KRE's own names. */
  databasePrefix?: string
}

/** What can be in front of a name and be a database's name with it. */
const PREFIX = /^[A-Za-z0-9_-]{0,30}$/

/**
 * Opens the store of a cluster: MongoDB, or what speaks its protocol (no transactions, change streams or TTL needed).
 * Database `kre` has what is the engine's, `<id>` and `<id>-data` what is a runtime's.
 *
 * @throws KreError `invalid-argument` (no URI), `unavailable` (no server), `failed-precondition` (used by a newer engine).
 */
export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  const prefix = options.databasePrefix ?? ''
  if (!PREFIX.test(prefix))
    throw new KreError(
      'invalid-argument',
      `"${prefix.slice(0, 40)}" can't be in front of a database's name: use at most 30 of A-Z, a-z, 0-9, _ and -`,
    )
  const connection = await connectMongo(options.uri)
  try {
    return await openOn(connection, { ...options, isAlone: options.isAlone ?? true }, prefix)
  } catch (error) {
    await connection.client.close()
    throw toKreError(error, connection.where)
  }
}

async function openOn(
  { client, where }: MongoConnection,
  { cacheDir, isAlone }: { cacheDir: string; isAlone: boolean },
  prefix: string,
): Promise<Store> {
  const databases = mongoDatabases(client, prefix)
  await migrateMongo(databases, MIGRATIONS, where)
  const identity = createMongoIdentityStore(databases.engine)
  const claims = createDatabaseClaims(databases)
  const collections = createDataCollections(databases)
  const logUsage = createLogUsageCounts(databases)
  const { forgetRuntime, ...samples } = createMongoSampleStore(databases, claims)
  const runtimes = createMongoRuntimeStore(databases, claims, async (runtimeId) => {
    collections.forget(runtimeId)
    await identity.users.forgetRuntime(runtimeId)
    await forgetRuntime(runtimeId)
  })
  await runtimes.finishInterrupted()
  const versions = createMongoVersionStore(databases)
  const isUsed = (digest: string) => versions.usesBundle(digest)
  const local = await openFolderBundleStore(join(cacheDir, 'bundles'), { isUsed, isAlone })
  const bundles = createMongoBundleStore(databases, local, isUsed)
  await bundles.sweep()

  let isClosed = false
  const store = guardMethods(
    {
      runtimes,
      versions,
      releases: createMongoReleaseStore(databases),
      config: createMongoConfigStore(databases),
      placements: createMongoPlacementStore(databases),
      outputs: createMongoOutputStore({ databases, claims, collections, logUsage }),
      predictionStats: createMongoPredictionStats(databases),
      logRetention: createMongoLogRetentionStore(databases, claims, logUsage),
      traffic: createMongoTrafficStore(databases, claims),
      requests: createMongoRequestStore(databases, claims),
      samples,
      heardTotals: createMongoHeardTotalsStore(databases),
      identity,
      audit: createMongoAuditStore(databases.engine),
      leases: createMongoLeaseStore(databases),
      bundles,
      uploads: await openFolderUploadStore(join(cacheDir, 'uploads'), { isAlone }),
    },
    {
      closed: () =>
        isClosed ? new KreError('unavailable', `the store at ${where} is closed`) : null,
      toError: (thrown) => toKreError(thrown, where),
    },
  )
  return {
    ...store,
    async [Symbol.asyncDispose]() {
      isClosed = true
      await client.close()
    },
  }
}
