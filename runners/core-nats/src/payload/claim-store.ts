/**
 * Claim checks: payloads that are too large for a message are kept in a JetStream stream as numbered chunks, and the
 * message carries where, how much and which digest. Written here and not with the object store's library, which
 * hashes in script and knows no pipelining.
 */
import { createHash, randomUUID } from 'node:crypto'
import { allocateMessage } from '../large-buffers.ts'
import {
  type Claim,
  claimKey,
  claimStream,
  KiB,
  KreError,
  MiB,
  SECOND_MS,
  versionOfClaim,
} from '@kre/contracts/runtime'
import type { CoreMessage } from '../parser.ts'
import { type ClaimTransport, createAnswers } from './answers.ts'
import { inOrder } from './in-order.ts'

/** Half of what a server with its defaults takes. */
const CHUNK_BYTES = 512 * KiB
/** Room for the subject and the server's headers beside a chunk. */
const MARGIN_BYTES = 4 * KiB
/** Chunks under way of one payload: 4 MiB, which fills a fast network and bounds what waits. */
const CHUNKS_UNDER_WAY = 8
/** A server that keeps a chunk, or sends one, for longer does not work. */
const ANSWER_TIMEOUT_MS = 10 * SECOND_MS
const CHUNK_BYTES_MAX = 64 * MiB

/**
 * Payloads up to this size travel in their message, where the server takes it. A claim takes twice as long;
 * but a few messages that are much larger could fill what a server keeps for one reader.
 */
const INLINE_BYTES_MAX = 2 * MiB
/** Room for the envelope around a payload: names, and metadata of the caller. */
const ENVELOPE_BYTES_MAX = 32 * KiB

/** Largest payload that is sent inside its message, in bytes. @param serverBytesMax the server's `max_payload`. */
export function inlineBytesMax(serverBytesMax: number): number {
  return Math.max(0, Math.min(INLINE_BYTES_MAX, serverBytesMax - ENVELOPE_BYTES_MAX))
}

/** What keeps payloads together: they go with the request, and nodes of its version may read them. */
export type ClaimOwner = {
  readonly version: string
  /** The subject that answers the request. */
  readonly replyTo: string
}

export type ClaimStore = {
  /**
   * Keeps a payload; resolves when the server has all of it. The bytes must not be changed until then.
   *
   * @throws KreError `unavailable` when the bucket is missing or does not answer, `resource-exhausted` when it is full.
   */
  write(value: Uint8Array, owner: ClaimOwner, expiresUnixMs: number): Promise<Claim>
  /**
   * Brings a payload.
   *
   * @throws KreError `resource-exhausted` above `bytesMax`, `aborted` when it is gone or damaged, `unavailable` when
   * the bucket does not answer, `invalid-argument` for a claim that is none of this runtime.
   */
  read(claim: Claim, bytesMax: number): Promise<Uint8Array>
  /** Removes all payloads of a request; what can't be removed now goes by its age. */
  remove(owner: ClaimOwner): void
}

/** @param isRemoving false = what is half-written goes with its request, which the entrypoint removes. */
export function createClaimStore(
  runtimeId: string,
  transport: ClaimTransport,
  isRemoving = true,
): ClaimStore {
  const answers = createAnswers(transport, ANSWER_TIMEOUT_MS)
  /** Tells the claims of this process from those of others in the same scope. */
  const origin = randomUUID().slice(0, 8)
  let sequence = 0

  const bucketOf = (version: string) => claimStream({ runtimeId, version })
  const keyOf = ({ version, replyTo }: ClaimOwner) => claimKey({ runtimeId, version }, replyTo)
  const remove = (bucket: string, start: string) => {
    if (!isRemoving) return
    const request = Buffer.from(JSON.stringify({ filter: `${start}.>` }))
    answers.ask(`$JS.API.STREAM.PURGE.${bucket}`, request).catch(ignore)
  }

  return {
    async write(value, owner, expiresUnixMs) {
      const bucket = bucketOf(owner.version)
      const chunkBytes = Math.min(CHUNK_BYTES, transport.maxPayload() - MARGIN_BYTES)
      const key = `${keyOf(owner)}.${origin}${(++sequence).toString(36)}`
      const hash = createHash('sha256')
      const count = Math.ceil(value.length / chunkBytes)
      try {
        await inOrder(count, CHUNKS_UNDER_WAY, async (index) => {
          const chunk = value.subarray(index * chunkBytes, (index + 1) * chunkBytes)
          hash.update(chunk)
          checkKept(bucket, await answers.ask(`${key}.${index}`, chunk))
        })
      } catch (error) {
        remove(bucket, key)
        throw error
      }
      return {
        bucket,
        key,
        size: value.length,
        sha256: hash.digest('hex'),
        expiresUnixMs,
        chunkBytes,
      }
    },
    async read(claim, bytesMax) {
      const { bucket, key, size, chunkBytes } = claim
      const version = versionOfClaim(runtimeId, key)
      checkClaim(claim, version === null ? null : bucketOf(version), bytesMax)
      const whole = allocateMessage(size)
      const hash = createHash('sha256')
      const count = Math.ceil(size / chunkBytes)
      const there = new Set<number>()
      let hashed = 0
      await inOrder(count, CHUNKS_UNDER_WAY, async (index) => {
        const answer = await answers.ask(`$JS.API.DIRECT.GET.${bucket}.${key}.${index}`, NOTHING)
        const start = index * chunkBytes
        const bytes = Math.min(chunkBytes, size - start)
        if (answer.status !== 0 || answer.data.length !== bytes) throw gone(claim)
        whole.set(answer.data, start)
        there.add(index)
        for (; there.has(hashed); hashed++)
          hash.update(
            whole.subarray(hashed * chunkBytes, Math.min((hashed + 1) * chunkBytes, size)),
          )
      })
      if (hash.digest('hex') !== claim.sha256) throw damaged(claim)
      return whole
    },
    remove: (owner) => remove(bucketOf(owner.version), keyOf(owner)),
  }
}

const NOTHING = new Uint8Array(0)

function ignore(): void {
  // What is left goes by its age.
}

/** JetStream's answer to a chunk: where it is kept, or why not. */
function checkKept(bucket: string, answer: CoreMessage): void {
  const { error } = JSON.parse(Buffer.from(answer.data).toString()) as {
    error?: { code?: number; description?: string }
  }
  if (error === undefined) return
  const text = `the bucket ${bucket} for large payloads did not take one: ${error.description ?? 'no reason given'}`
  const isFull = /maximum|insufficient|limit/i.test(error.description ?? '')
  throw new KreError(isFull ? 'resource-exhausted' : 'unavailable', text, { bucket })
}

/** @param bucket of the version in the claim's key; null = the key is none of this runtime. */
function checkClaim(claim: Claim, bucket: string | null, bytesMax: number): void {
  const { size, chunkBytes } = claim
  const isOurs = claim.bucket === bucket && !/[\s*>]/.test(claim.key)
  if (!isOurs || chunkBytes < 1 || chunkBytes > CHUNK_BYTES_MAX)
    throw new KreError(
      'invalid-argument',
      `claim "${claim.key}" is none of bucket ${bucket ?? claim.bucket}`,
    )
  if (size > bytesMax)
    throw new KreError(
      'resource-exhausted',
      `the payload has ${size} bytes and the limit is ${bytesMax}: send less, or raise the runtime's payload limit`,
      { bytes: size, bytesMax },
    )
}

function gone({ key, expiresUnixMs }: Claim): KreError {
  const why =
    Date.now() > expiresUnixMs
      ? 'its request is over since long'
      : 'it was removed with its request, or the NATS server lost it'
  return new KreError('aborted', `the large payload ${key} is gone: ${why}`, { key })
}

function damaged({ key }: Claim): KreError {
  return new KreError('aborted', `the large payload ${key} is damaged: its digest differs`, { key })
}
