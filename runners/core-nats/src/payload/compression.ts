/** gzip for payloads between processes: level 1, and only where it gains something. */
import { KiB, KreError, MiB } from '@kre/contracts/runtime'
import { createTurns } from './turns.ts'

/** Smaller payloads are not worth the processor time. */
export const COMPRESS_BYTES_MIN = 64 * KiB
const SAMPLE_BYTES = 4 * KiB
/** Loaded with the first large payload: most processes never see one, and wait with half a MiB less. */
const zlib = () => process.getBuiltinModule('node:zlib')
/** How much a sample must shrink: images and tensors do not, and are sent as they are. */
const SAMPLE_GAIN_MIN = 1.5
/** Four threads do it, and each payload may become as large as is allowed: more at once would only take memory. */
const turns = createTurns(8, 64 * MiB)

/** Whether a payload is large enough, and a sample of it shrinks enough, to be compressed. */
export function isWorthCompressing(value: Uint8Array): boolean {
  if (value.length < COMPRESS_BYTES_MIN) return false
  const sample = value.subarray(0, SAMPLE_BYTES)
  return zlib().gzipSync(sample, { level: 1 }).length * SAMPLE_GAIN_MIN <= sample.length
}

/** Compresses off the main thread. */
export function compress(value: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const { constants, gzip } = zlib()
    gzip(value, { level: constants.Z_BEST_SPEED }, (error, compressed) =>
      error === null ? resolve(compressed) : reject(error),
    )
  })
}

/**
 * Decompresses off the main thread, a few at once.
 *
 * @throws KreError `resource-exhausted` for more than `bytesMax` (it is not inflated further), `invalid-argument` for
 * what is no gzip.
 */
export async function decompress(value: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  const { inflated, problem } = await inflate(value, bytesMax)
  if (problem === null) return inflated
  throw problem.code === 'ERR_BUFFER_TOO_LARGE'
    ? new KreError(
        'resource-exhausted',
        `the payload has more than ${bytesMax} bytes, inflated: send less, or raise the runtime's payload limit`,
        { bytesMax },
      )
    : new KreError('invalid-argument', `the payload is no valid gzip: ${problem.message}`)
}

type Inflated = {
  readonly inflated: Uint8Array
  /** Null = it is whole. In words, as the stack of zlib's error would keep alive all that was inflated. */
  readonly problem: { readonly code: string; readonly message: string } | null
}

function inflate(value: Uint8Array, bytesMax: number): Promise<Inflated> {
  return new Promise((resolve) => {
    turns.take(bytesMax, () =>
      zlib().gunzip(value, { maxOutputLength: Math.max(bytesMax, 1) }, (error, inflated) => {
        turns.giveBack(bytesMax)
        const { code = '', message } = (error ?? { message: '' }) as NodeJS.ErrnoException
        resolve({ inflated, problem: error === null ? null : { code, message } })
      }),
    )
  })
}
