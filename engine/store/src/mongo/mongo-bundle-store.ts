import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { KreError, MiB, MINUTE_MS } from '@kre/contracts'
import { GridFSBucket, ObjectId, type Collection, type GridFSFile } from 'mongodb'
import type { BundleStore } from '../ports/store.ts'
import type { MongoDatabases } from './mongo-databases.ts'

/** KRE's bucket. */
const BUCKET = 'krt'
const CHUNK_BYTES = 1 * MiB
/** An upload that is not over after so long was cut off, and an archive without a version after so long has none. */
const ABANDONED_MS = 60 * MINUTE_MS

type UploadDocument = { _id: ObjectId; digest: string; startedAt: Date }

export type MongoBundleStore = BundleStore & {
  /** Removes what crashes left: parts of uploads, and archives without a version. */
  sweep(): Promise<void>
}

/**
 * Archives in GridFS, with a folder of this computer in front: the one keeps them, the other gives them paths.
 * A file is in GridFS only when its last byte is there.
 *
 * @param local archives that are on this computer already.
 */
export function createMongoBundleStore(
  { engine }: MongoDatabases,
  local: BundleStore,
  isUsed: (digest: string) => Promise<boolean>,
): MongoBundleStore {
  const bucket = new GridFSBucket(engine, { bucketName: BUCKET, chunkSizeBytes: CHUNK_BYTES })
  const files: Collection<GridFSFile> = engine.collection(`${BUCKET}.files`)
  const chunks = engine.collection<{ files_id: ObjectId }>(`${BUCKET}.chunks`)
  const uploads = engine.collection<UploadDocument>(`${BUCKET}.uploads`)
  const find = (digest: string) =>
    files.findOne({ filename: { $eq: digest } }, { sort: { uploadDate: 1 } })

  const upload = async (digest: string, file: string): Promise<void> => {
    const _id = new ObjectId()
    await uploads.insertOne({ _id, digest, startedAt: new Date() })
    await pipeline(createReadStream(file), bucket.openUploadStreamWithId(_id, digest))
    await uploads.deleteOne({ _id })
  }

  const download = async ({ _id }: GridFSFile, digest: string): Promise<void> => {
    const file = join(local.scratchDir, `download-${randomUUID()}`)
    try {
      await pipeline(bucket.openDownloadStream(_id), createWriteStream(file, { mode: 0o600 }))
      const sha256 = await sha256Of(file)
      if (sha256 !== digest) throw damaged(digest, sha256)
      await local.put(digest, file)
    } finally {
      await rm(file, { force: true })
    }
  }

  const removeFile = async (_id: ObjectId): Promise<void> => {
    await files.deleteOne({ _id })
    await chunks.deleteMany({ files_id: _id })
  }

  return {
    scratchDir: local.scratchDir,
    async has(digest) {
      // Refuses what is no digest; whether a copy is here says nothing about the original.
      await local.has(digest)
      return (await find(digest)) !== null
    },
    async put(digest, file) {
      const isHere = await local.has(digest)
      if ((await find(digest)) === null)
        await upload(digest, isHere ? await local.path(digest) : file)
      await local.put(digest, file)
    },
    async path(digest) {
      if (await local.has(digest)) return local.path(digest)
      const found = await find(digest)
      if (found !== null) await download(found, digest)
      return local.path(digest)
    },
    async remove(digest) {
      await local.remove(digest)
      for (const { _id } of await files.find({ filename: { $eq: digest } }).toArray())
        await removeFile(_id)
    },
    async sweep() {
      const before = new Date(Date.now() - ABANDONED_MS)
      for (const { _id } of await uploads.find({ startedAt: { $lt: before } }).toArray()) {
        if ((await files.findOne({ _id })) === null) await chunks.deleteMany({ files_id: _id })
        await uploads.deleteOne({ _id })
      }
      for (const { _id, filename } of await files.find({ uploadDate: { $lt: before } }).toArray())
        if (!(await isUsed(filename))) await removeFile(_id)
    },
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

function damaged(digest: string, sha256: string): KreError {
  return new KreError(
    'internal',
    `the archive of bundle ${digest} is damaged in the database (its sha256 is ${sha256}): upload the bundle again as another version`,
    { digest, sha256 },
  )
}
