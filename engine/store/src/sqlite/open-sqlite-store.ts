import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { openFolderBundleStore } from '../bundles/folder-bundle-store.ts'
import type { Store } from '../ports/store.ts'
import { AUDIT_MIGRATIONS } from './audit/audit-migrations.ts'
import { createSqliteAuditStore } from './audit/sqlite-audit-store.ts'
import { CONTROL_MIGRATIONS } from './control-migrations.ts'
import { openDatabase, type Database } from './database.ts'
import { OUTPUT_MIGRATIONS } from './output-migrations.ts'
import { createSqliteConfigStore } from './sqlite-config-store.ts'
import { createSqliteHeardTotalsStore } from './sqlite-heard-totals-store.ts'
import { createSqliteIdentityStore } from './sqlite-identity-store.ts'
import { createSqliteLeaseStore } from './sqlite-lease-store.ts'
import { createSqliteLogRetentionStore } from './sqlite-log-retention-store.ts'
import { createSqliteOutputStore } from './sqlite-output-store.ts'
import { createSqlitePlacementStore } from './sqlite-placement-store.ts'
import { createSqlitePredictionStats } from './sqlite-prediction-stats.ts'
import { createSqliteReleaseStore } from './sqlite-release-store.ts'
import { createSqliteRequestStore } from './sqlite-request-store.ts'
import { createSqliteRuntimeStore } from './sqlite-runtime-store.ts'
import { createSqliteSampleStore } from './sqlite-sample-store.ts'
import { createSqliteTrafficStore } from './sqlite-traffic-store.ts'
import { createSqliteVersionStore } from './sqlite-version-store.ts'
import { refuseLostControl } from './refuse-lost-control.ts'
import { toKreError } from './to-kre-error.ts'
import { openFolderUploadStore } from '../uploads/folder-upload-store.ts'

const CONTROL = 'kre.sqlite'

/** The part of a pino logger that the store uses. */
export type StoreLogger = { warn(fields: Record<string, unknown>, message: string): void }

/**
 * Opens the laptop's store: a folder with `kre.sqlite` (intent, placements, logins), `outputs.sqlite` (what nodes
 * produced, apart so that bursts of it lock nobody out), `audit.sqlite` (what people did) and `bundles/`. Made when
 * missing, readable by its owner alone.
 *
 * @throws KreError `unavailable` (damaged, locked, not writable), `failed-precondition` (made by a newer engine, or
 * without its `kre.sqlite`), `resource-exhausted` (disk full).
 */
export async function openSqliteStore(options: {
  dataDir: string
  logger?: StoreLogger
  /** No other engine works on the folder, so what is under way there was left by a crash and goes; default true. */
  isAlone?: boolean
}): Promise<Store> {
  const { dataDir, isAlone = true } = options
  await makePrivate(dataDir, options.logger)
  await refuseLostControl(dataDir, CONTROL)
  const opened: Database[] = []
  const close = (): void => {
    for (const database of opened) database.close()
  }
  try {
    const control = openDatabase(join(dataDir, CONTROL), CONTROL_MIGRATIONS)
    opened.push(control)
    refuseDamage(control)
    const outputsDatabase = openDatabase(join(dataDir, 'outputs.sqlite'), OUTPUT_MIGRATIONS)
    opened.push(outputsDatabase)
    const chain = openDatabase(join(dataDir, 'audit.sqlite'), AUDIT_MIGRATIONS)
    opened.push(chain)
    const versions = createSqliteVersionStore(control)
    const bundles = await openFolderBundleStore(join(dataDir, 'bundles'), {
      isUsed: (digest) => versions.usesBundle(digest),
      isAlone,
    })
    const { removeRuntime, ...outputs } = createSqliteOutputStore(outputsDatabase)
    return {
      runtimes: createSqliteRuntimeStore(control, removeRuntime),
      versions,
      releases: createSqliteReleaseStore(control),
      config: createSqliteConfigStore(control),
      placements: createSqlitePlacementStore(control),
      outputs,
      predictionStats: createSqlitePredictionStats(outputsDatabase),
      logRetention: createSqliteLogRetentionStore(outputsDatabase),
      traffic: createSqliteTrafficStore(outputsDatabase),
      requests: createSqliteRequestStore(outputsDatabase),
      samples: createSqliteSampleStore(outputsDatabase),
      heardTotals: createSqliteHeardTotalsStore(outputsDatabase),
      identity: createSqliteIdentityStore(control),
      audit: createSqliteAuditStore(chain, control),
      leases: createSqliteLeaseStore(control),
      bundles,
      uploads: await openFolderUploadStore(join(dataDir, 'uploads'), { isAlone }),
      async [Symbol.asyncDispose]() {
        close()
      },
    }
  } catch (error) {
    close()
    throw error
  }
}

async function makePrivate(dataDir: string, logger: StoreLogger | undefined): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw toKreError(error, dataDir)
  }
  try {
    await chmod(dataDir, 0o700)
  } catch (error) {
    // A mounted volume may belong to somebody else and be writable all the same.
    logger?.warn({ dataDir, err: error }, 'the data folder stays readable for others')
  }
}

/** The control data is small enough to be checked whole, and everything else hangs on it. */
function refuseDamage(control: Database): void {
  const verdict = control.get<{ quick_check: string }>('PRAGMA quick_check(1)')?.quick_check
  if (verdict === 'ok') return
  throw new KreError(
    'unavailable',
    `the database ${control.path} is damaged (${verdict ?? 'no answer'}): stop the engine, keep a copy of the file, and restore the folder from a backup`,
  )
}
