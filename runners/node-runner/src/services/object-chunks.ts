/**
 * Objects as NATS's object stores keep them, so that its tools read and write them, too: chunks under a name that is made
 * for each version of an object, and what is known of the object under a subject of its name (ADR-20 of NATS).
 */
import { createHash, randomBytes } from 'node:crypto'
import { KiB, KreError } from '@kre/contracts/runtime'
import type { Inbox } from '@kre/core-nats'
import { createStreamStore } from './stream-store.ts'

/** What NATS's own libraries use. Those that are read come in base 64, so they must stay well below the server's limit. */
const CHUNK_BYTES = 128 * KiB
/** Room for subject and headers beside a chunk. */
const MARGIN_BYTES = 4 * KiB
/** Requests under way at once. */
const UNDER_WAY = 8
/** Only the last message of the subject is kept. */
const REPLACING = { 'Nats-Rollup': 'sub' }
const DIGEST = 'SHA-256='

/** What is known of an object. Fields that other libraries write beside these stay as they are. */
type ObjectInfo = {
  name: string
  bucket: string
  nuid: string
  size: number
  chunks: number
  digest?: string
  deleted?: boolean
  mtime?: string
  options?: { max_chunk_size?: number }
}

export type ObjectChunks = {
  /** Replaces what has the name. @throws KreError `unavailable`. */
  write(name: string, data: Uint8Array): Promise<void>
  /** Null = there is none. @throws KreError `unavailable`, `aborted` for an object that is damaged. */
  read(name: string): Promise<Uint8Array | null>
  names(): Promise<string[]>
  /** @returns whether there was one. */
  remove(name: string): Promise<boolean>
}

/** @param maxPayload of the server, in bytes. */
export function openObjectChunks(bucket: string, inbox: Inbox, maxPayload: number): ObjectChunks {
  const store = createStreamStore(`OBJ_${bucket}`, inbox)
  const chunksOf = (nuid: string) => `$O.${bucket}.C.${nuid}`
  const infoOf = (name: string) => `$O.${bucket}.M.${toBase64(name)}`
  const chunkBytes = Math.min(CHUNK_BYTES, maxPayload - MARGIN_BYTES)

  const infoAt = async (subject: string): Promise<ObjectInfo | null> => {
    const message = await store.get(subject)
    if (message === null) return null
    return JSON.parse(Buffer.from(message.data).toString('utf8')) as ObjectInfo
  }
  const find = async (name: string): Promise<ObjectInfo | null> => {
    const info = await infoAt(infoOf(name))
    return info === null || info.deleted === true ? null : info
  }

  return {
    async write(name, data) {
      const before = await find(name)
      const nuid = randomBytes(16).toString('hex')
      const chunks = Math.ceil(data.length / chunkBytes)
      try {
        // In order: a chunk has no number of its own.
        for (let at = 0; at < data.length; at += chunkBytes)
          await store.put(chunksOf(nuid), data.subarray(at, at + chunkBytes))
        const info: ObjectInfo = {
          name,
          bucket,
          nuid,
          size: data.length,
          chunks,
          digest: digestOf(data),
          deleted: false,
          mtime: new Date().toISOString(),
          options: { max_chunk_size: chunkBytes },
        }
        await store.put(infoOf(name), JSON.stringify(info), REPLACING)
      } catch (error) {
        if (chunks > 0) await store.purge(chunksOf(nuid)).catch(ignore)
        throw error
      }
      if (before !== null && before.chunks > 0)
        await store.purge(chunksOf(before.nuid)).catch(ignore)
    },
    async read(name) {
      const info = await find(name)
      if (info === null) return null
      const chunks: Uint8Array[] = []
      let sequence = 0
      for (let count = 0; count < info.chunks; count++) {
        const chunk = await store.get(chunksOf(info.nuid), sequence + 1)
        if (chunk === null) throw damaged(name, `${info.chunks - count} of its chunks are missing`)
        chunks.push(chunk.data)
        sequence = chunk.sequence
      }
      const data = new Uint8Array(Buffer.concat(chunks))
      if (info.digest !== undefined && !isSameDigest(info.digest, digestOf(data)))
        throw damaged(name, 'its digest differs')
      return data
    },
    async names() {
      const left = await store.subjects(`$O.${bucket}.M.>`)
      const names: string[] = []
      const work = async () => {
        for (let subject = left.pop(); subject !== undefined; subject = left.pop()) {
          const info = await infoAt(subject)
          if (info !== null && info.deleted !== true) names.push(info.name)
        }
      }
      await Promise.all(Array.from({ length: UNDER_WAY }, work))
      return names
    },
    async remove(name) {
      const info = await infoAt(infoOf(name))
      if (info === null) return false
      const gone = { ...info, deleted: true, size: 0, chunks: 0, digest: '' }
      await store.put(infoOf(name), JSON.stringify(gone), REPLACING)
      await store.purge(chunksOf(info.nuid))
      return true
    },
  }
}

function ignore(): void {
  // The object is as it should be; what is left over costs room in its own bucket.
}

function digestOf(data: Uint8Array): string {
  return DIGEST + withPadding(createHash('sha256').update(data).digest('base64url'))
}
/** Libraries differ in whether they pad. */
function isSameDigest(a: string, b: string): boolean {
  return a.replace(/=+$/, '') === b.replace(/=+$/, '')
}
function toBase64(text: string): string {
  return withPadding(Buffer.from(text).toString('base64url'))
}
function withPadding(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

function damaged(name: string, why: string): KreError {
  return new KreError('aborted', `the object "${name}" is damaged: ${why}`, { name })
}
