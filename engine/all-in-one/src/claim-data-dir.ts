/** Takes a data folder for the one engine that leads: a second one on the same folder is refused, unless it joins. */
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { processStartTime, readEngineRecord, type EngineRecord } from '@kre/service-kit'
import { takeFileLock, type FileLock } from './file-lock.ts'

export type DataDirClaim = {
  /** Says where the engine serves. */
  write(adminUrl: string): Promise<void>
  /**
   * Writes the record again when somebody damaged it, and takes the lock again when somebody removed it.
   *
   * Who leads is decided by the lease; the lock only makes it quick.
   *
   * @returns false when the folder is gone, or another one is in its place.
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
  let lockInode = await inodeOf(lockFile(dataDir))
  const file = join(dataDir, 'engine.json')
  const record = await ownRecord()
  let released = false
  const write = async () => {
    if (!released) await writeRecord(file, record)
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
      if ((await inodeOf(lockFile(dataDir))) !== lockInode) {
        // Where another engine has just taken the new file, it will see that this one leads, and give it back.
        const again = await takeFileLock(lockFile(dataDir))
        if (again !== null) {
          lock.close()
          lock = again
          lockInode = await inodeOf(lockFile(dataDir))
        }
      }
      const there = await readFile(file, 'utf8').catch(() => '')
      if (there !== JSON.stringify(record)) await save()
      return true
    },
    async release() {
      // Another engine may have the folder by the second time.
      if (released) return
      released = true
      await saved.catch(() => undefined)
      await rm(file, { force: true })
      lock.close()
    },
  }
}

/** The record of this process, before it serves. */
export async function ownRecord(): Promise<EngineRecord> {
  return {
    pid: process.pid,
    startTime: (await processStartTime(process.pid)) ?? '',
    adminUrl: null,
    startedAt: new Date().toISOString(),
  }
}

export async function writeRecord(file: string, record: EngineRecord): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(record), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

function lockFile(dataDir: string): string {
  return join(dataDir, 'engine.lock')
}

/** Null when it is not there. */
async function inodeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.ino ?? null
}

async function takeLock(dataDir: string): Promise<FileLock> {
  const lock = await takeFileLock(lockFile(dataDir))
  if (lock !== null) return lock
  const pid = (await readEngineRecord(dataDir))?.pid
  throw new DataDirBusy(
    'failed-precondition',
    `an engine${pid === undefined ? '' : ` (process ${pid})`} already works on ${dataDir}: stop it with "krectl stop", start one beside it with "krectl dev --join", or choose another folder with --data`,
  )
}
