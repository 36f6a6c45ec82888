/** The places of engines that work on one data folder at once: each has a number, a record, and a name in the audit log. */
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KreError } from '@kre/contracts'
import { ENGINE_RECORDS, readEngineRecords, type EngineRecord } from '@kre/service-kit'
import { ownRecord, writeRecord } from './claim-data-dir.ts'
import { takeFileLock, type FileLock } from './file-lock.ts'

/** Engines of one data folder; each costs memory, and more than a few help nobody. */
const ENGINES_MAX = 8

export type Membership = {
  /** `engine`, `engine-2` …: the same after a restart, as long as there are no more engines than before. */
  readonly name: string
  /** File of this engine's own in the folder of records. */
  file(extension: string): string
  /** Living engines of the folder without this one, the one that leads last. */
  others(): Promise<EngineRecord[]>
  /** Says where the engine serves. */
  write(adminUrl: string): Promise<void>
  /** Whether the folder is still the one that was joined. */
  isThere(): Promise<boolean>
  release(): Promise<void>
}

/**
 * Takes the lowest free number of the folder for this process. Alone it gives no right to anything.
 *
 * @throws KreError `resource-exhausted` when there are too many engines.
 */
export async function joinDataDir(dataDir: string): Promise<Membership> {
  const folder = join(dataDir, ENGINE_RECORDS)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { ino } = await stat(folder)
  const { number, lock } = await takeNumber(folder)
  const record = await ownRecord()
  const file = join(folder, `${number}.json`)
  await writeRecord(file, record)
  return {
    name: number === 1 ? 'engine' : `engine-${number}`,
    file: (extension) => join(folder, `${number}.${extension}`),
    async others() {
      return (await readEngineRecords(dataDir)).filter(({ pid }) => pid !== process.pid)
    },
    async write(adminUrl) {
      record.adminUrl = adminUrl
      await writeRecord(file, record)
    },
    isThere: async () => (await stat(folder).catch(() => null))?.ino === ino,
    async release() {
      await rm(file, { force: true })
      lock.close()
    },
  }
}

async function takeNumber(folder: string): Promise<{ number: number; lock: FileLock }> {
  for (let number = 1; number <= ENGINES_MAX; number++) {
    const lock = await takeFileLock(join(folder, `${number}.lock`))
    if (lock !== null) return { number, lock }
  }
  throw new KreError(
    'resource-exhausted',
    `${ENGINES_MAX} engines work on ${folder} already, which is as many as can: stop one of them first`,
  )
}
