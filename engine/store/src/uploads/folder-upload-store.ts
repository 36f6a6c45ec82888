import { createReadStream } from 'node:fs'
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { KiB, KreError, KrtIssue } from '@kre/contracts'
import { z } from 'zod'
import { guardMethods } from '../mongo/guard-methods.ts'
import type { Upload, UploadStore } from '../ports/upload-store.ts'
import { toKreError } from '../sqlite/to-kre-error.ts'
import { createRoomKeeper, requireRoom } from './room-for-uploads.ts'

/** An id is a file name here, so nothing else may pass. */
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const Issues = z.array(KrtIssue)
const UploadRecord = z.object({
  id: z.string().regex(ID),
  runtimeId: z.string(),
  user: z.string(),
  bytes: z.number().int().min(0),
  sha256: z.string().nullable(),
  metadata: z.string(),
  createdAt: z.coerce.date(),
  expiresAt: z.coerce.date(),
  outcome: z
    .discriminatedUnion('kind', [
      z.object({
        kind: z.literal('version'),
        versionName: z.string(),
        versionId: z.string(),
        created: z.boolean(),
        issues: Issues,
      }),
      z.object({ kind: z.literal('refused'), issues: Issues }),
    ])
    .nullable(),
})

/**
 * Uploads as two files of a folder: `<id>.json` says what it is, `<id>.part` has the bytes that came. The size of the
 * second is the offset, so nothing has to agree with anything after a crash.
 *
 * @param dir made when missing, mode 0700.
 * @param options.isAlone nobody else works on the folder: what belongs to no whole upload is removed; default true.
 */
export async function openFolderUploadStore(
  dir: string,
  { isAlone = true }: { isAlone?: boolean } = {},
): Promise<UploadStore> {
  const recordOf = (id: string): string => join(dir, `${id}.json`)
  const partOf = (id: string): string => join(dir, `${id}.part`)

  async function find(id: string): Promise<Upload | null> {
    if (!ID.test(id)) return null
    const text = await readFile(recordOf(id), 'utf8').catch(absentAs(null, dir))
    return text === null ? null : parseRecord(text)
  }
  async function mustFind(id: string): Promise<Upload> {
    const upload = await find(id)
    if (upload === null) throw missing(id)
    return upload
  }
  async function write(upload: Upload): Promise<void> {
    const draft = `${recordOf(upload.id)}.draft`
    await writeFile(draft, JSON.stringify(upload), { mode: 0o600 })
    await rename(draft, recordOf(upload.id))
  }
  async function received(id: string): Promise<number> {
    const { bytes, outcome } = await mustFind(id)
    return outcome === null ? (await stat(partOf(id))).size : bytes
  }

  await guarded(dir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    if (isAlone) await removeLeftovers(dir, find)
  })

  const store: UploadStore = {
    find,
    received,
    async create(upload) {
      if (!ID.test(upload.id)) throw new KreError('invalid-argument', 'an upload’s id is a UUID')
      await requireRoom(dir, upload.bytes)
      await writeFile(partOf(upload.id), '', { mode: 0o600, flag: 'wx' })
      await write({ ...upload, outcome: null })
    },
    async list() {
      const found = await Promise.all((await idsIn(dir)).map(find))
      return found
        .filter((upload) => upload !== null)
        .toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime())
    },
    async append(id, offset, chunks) {
      await mustFind(id)
      await using file = await open(partOf(id), 'r+')
      let position = (await file.stat()).size
      if (position !== offset) throw wrongOffset(offset, position)
      const takeRoom = createRoomKeeper(dir)
      for await (const chunk of chunks) {
        await takeRoom(chunk.byteLength)
        // The system may take less than it is given, for one on a disk that fills up.
        for (let done = 0; done < chunk.byteLength;) {
          const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done, position)
          done += bytesWritten
          position += bytesWritten
        }
      }
      return position
    },
    async truncate(id, offset) {
      await mustFind(id)
      await truncate(partOf(id), offset)
    },
    async read(id) {
      await mustFind(id)
      // Opened before it is returned: a file that is gone is a failure of this call.
      const file = await open(partOf(id), 'r')
      return createReadStream('', { fd: file, highWaterMark: READ_BYTES })
    },
    async finish(id, outcome) {
      await write({ ...(await mustFind(id)), outcome })
      await rm(partOf(id), { force: true })
    },
    async remove(id) {
      if (!ID.test(id)) return
      // The bytes go first: a record alone is removed when the folder is opened next.
      await rm(partOf(id), { force: true })
      await rm(recordOf(id), { force: true })
    },
  }
  // Failures of the disk get the engine's words; what a body's chunks throw is KRE's own already.
  return guardMethods(store, { closed: () => null, toError: (thrown) => toKreError(thrown, dir) })
}

/** Large enough that a disk streams, small enough to be nothing. */
const READ_BYTES = 256 * KiB

async function removeLeftovers(
  dir: string,
  find: (id: string) => Promise<Upload | null>,
): Promise<void> {
  const whole = new Set<string>()
  for (const id of await idsIn(dir)) {
    const upload = await find(id)
    if (upload === null) continue
    const hasBytes = await stat(join(dir, `${id}.part`)).then(() => true, absentAs(false, dir))
    if (upload.outcome === null && !hasBytes) continue
    whole.add(`${id}.json`)
    if (upload.outcome === null) whole.add(`${id}.part`)
  }
  for (const name of await readdir(dir))
    if (!whole.has(name)) await rm(join(dir, name), { recursive: true, force: true })
}

async function idsIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).flatMap((name) => {
    const id = name.endsWith('.json') ? name.slice(0, -'.json'.length) : ''
    return ID.test(id) ? [id] : []
  })
}

/** Null for a file that is no record: half of one, or of another engine. */
function parseRecord(text: string): Upload | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const parsed = UploadRecord.safeParse(value)
  return parsed.success ? parsed.data : null
}

function absentAs<T>(value: T, where: string): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value
    throw toKreError(error, where)
  }
}

function missing(id: string): KreError {
  return new KreError(
    'not-found',
    `there is no upload "${id.slice(0, 40)}": it is over, or older than a day. Begin a new one`,
  )
}

function wrongOffset(given: number, received: number): KreError {
  return new KreError(
    'aborted',
    `the upload has ${received} bytes, not ${given}: ask where it stands and go on from there`,
    { received },
  )
}

async function guarded<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw toKreError(error, dir)
  }
}
