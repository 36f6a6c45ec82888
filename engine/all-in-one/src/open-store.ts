import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'
import { openSqliteStore, type Store } from '@kre/store'
import type { Config } from './config.ts'
import { refuseEmptyPlace } from './refuse-empty-place.ts'

/** In the data folder of an engine that keeps its data in MongoDB: what runs on this computer belongs to that. */
const MARKER = 'store.json'

/**
 * The store that the configuration names: the data folder, or MongoDB with copies of archives in the folder.
 *
 * @param options.isAlone whether no other engine works on the folder: what crashes left is removed then.
 * @throws KreError `failed-precondition` when the folder has been used with the other one: an engine that finds its
 * data elsewhere would end everything that runs. So it does where MongoDB is another one than before, and empty.
 */
export async function openStore(
  config: Config,
  logger: Logger,
  { isAlone }: { isAlone: boolean },
): Promise<Store> {
  const { dataDir, mongodb } = config
  const hasMongo = await isThere(join(dataDir, MARKER))
  if (mongodb === null) {
    if (hasMongo) throw usedWithMongo(dataDir, await readFile(join(dataDir, MARKER), 'utf8'))
    return openSqliteStore({ dataDir, logger, isAlone })
  }
  if (!hasMongo && (await isThere(join(dataDir, 'kre.sqlite')))) throw usedWithFiles(dataDir)
  // The driver is loaded by those who use it.
  const { openMongoStore } = await import('@kre/store/mongo')
  const store = await openMongoStore({
    uri: mongodb.uri,
    databasePrefix: mongodb.databasePrefix,
    cacheDir: join(dataDir, 'mongodb'),
    isAlone,
  })
  const place = { store: 'mongodb', hosts: hostsOf(mongodb.uri), prefix: mongodb.databasePrefix }
  const marker = JSON.stringify(place)
  try {
    if (hasMongo)
      await refuseEmptyPlace(store.audit, {
        path: join(dataDir, MARKER),
        before: (await readFile(join(dataDir, MARKER), 'utf8')).trim(),
        now: marker,
      })
    await writeFile(join(dataDir, MARKER), `${marker}\n`, { mode: 0o600 })
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
  return store
}

/** Between the credentials, which may hold anything but an unescaped slash, and the path. */
function hostsOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/(?:[^/]*@)?([^/?]*)/.exec(uri)?.[1] ?? ''
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}

function usedWithMongo(dataDir: string, marker: string): KreError {
  return new KreError(
    'failed-precondition',
    `the engine of ${dataDir} keeps its data in MongoDB (${marker.trim()}): set KRE_MONGODB_URI, or give --mongo URI, or choose another folder with --data`,
  )
}

function usedWithFiles(dataDir: string): KreError {
  return new KreError(
    'failed-precondition',
    `the engine of ${dataDir} keeps its data in that folder, and nothing moves it to MongoDB: choose another folder with --data, or leave KRE_MONGODB_URI and --mongo away`,
  )
}
