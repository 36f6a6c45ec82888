/** Takes a data folder for one engine: a second engine on the same folder is refused. */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { KreError } from '@kre/contracts'
import { processStartTime, readEngineRecord, type EngineRecord } from '@kre/service-kit'

export type DataDirClaim = {
  /** Says where the engine serves. */
  write(adminUrl: string): Promise<void>
  /**
   * Writes the record again when somebody damaged it, and takes the lock again when somebody removed it.
   *
   * @returns false when the folder is gone, or another one or another engine is in its place.
   */
  mend(): Promise<boolean>
  release(): Promise<void>
}

/** Another engine has the data folder. */
export class DataDirBusy extends KreError {
  override name = 'DataDirBusy'
}

/**
 * Takes the data folder for this process. The lock is the kernel's, on `engine.lock`: it ends with the process,
 * however that ends.
 *
 * @throws DataDirBusy when a living engine has the folder.
 */
export async function claimDataDir(dataDir: string): Promise<DataDirClaim> {
  const { ino } = await stat(dataDir)
  let lock = await takeLock(dataDir)
  const file = join(dataDir, 'engine.json')
  const record: EngineRecord = {
    pid: process.pid,
    startTime: (await processStartTime(process.pid)) ?? '',
    adminUrl: null,
    startedAt: new Date().toISOString(),
  }
  let released = false
  const write = async () => {
    if (released) return
    await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
  // One after the other: a heartbeat may find the file behind while it is being written.
  let saved: Promise<void> = Promise.resolve()
  const save = () => (saved = saved.then(write, write))
  await save()
  return {
    async write(adminUrl) {
      record.adminUrl = adminUrl
      await save()
    },
    async mend() {
      if (released) return true
      if ((await stat(dataDir).catch(() => null))?.ino !== ino) return false
      if ((await stat(join(dataDir, 'engine.lock')).catch(() => null)) === null) {
        const again = await takeLock(dataDir).catch(() => null)
        if (again === null) return false
        lock.close()
        lock = again
      }
      const there = await readFile(file, 'utf8').catch(() => '')
      if (there !== JSON.stringify(record)) await save()
      return true
    },
    async release() {
      released = true
      await rm(file, { force: true })
      lock.close()
    },
  }
}

/** An exclusive transaction on an empty SQLite file: the one lock of the operating system that Node can take. */
async function takeLock(dataDir: string): Promise<DatabaseSync> {
  const path = join(dataDir, 'engine.lock')
  for (let attempt = 1; ; attempt++) {
    const database = new DatabaseSync(path, { timeout: 0 })
    try {
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return database
    } catch (error) {
      database.close()
      const { errcode } = error as { errcode?: number }
      if (errcode === SQLITE_BUSY) throw await busy(dataDir, error)
      if (errcode !== SQLITE_NOTADB || attempt > 1) throw error
      await rm(path, { force: true }) // something else in its place: nobody can hold a lock on that
    }
  }
}

const SQLITE_BUSY = 5
const SQLITE_NOTADB = 26

async function busy(dataDir: string, cause: unknown): Promise<DataDirBusy> {
  const pid = (await readEngineRecord(dataDir))?.pid
  return new DataDirBusy(
    'failed-precondition',
    `an engine${pid === undefined ? '' : ` (process ${pid})`} already works on ${dataDir}: stop it with "krectl stop", or choose another folder with --data`,
    {},
    { cause },
  )
}
