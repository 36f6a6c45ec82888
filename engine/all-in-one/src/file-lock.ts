import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

/** Held until it is closed, or its process ends, however that ends. */
export type FileLock = { close(): void }

/**
 * Takes a lock of the kernel on a file: an exclusive transaction on an empty SQLite file, the one lock of the
 * operating system that Node can take.
 *
 * @returns null when another process, or this one, has it.
 */
export async function takeFileLock(path: string): Promise<FileLock | null> {
  for (let attempt = 1; ; attempt++) {
    const database = new DatabaseSync(path, { timeout: 0 })
    try {
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return database
    } catch (error) {
      database.close()
      const { errcode } = error as { errcode?: number }
      if (errcode === SQLITE_BUSY) return null
      if (errcode !== SQLITE_NOTADB || attempt > 1) throw error
      await rm(path, { force: true }) // something else in its place: nobody can hold a lock on that
    }
  }
}

const SQLITE_BUSY = 5
const SQLITE_NOTADB = 26
