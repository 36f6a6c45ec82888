/** gzip message encoding (grpc/doc/compression.md). */
import { constants, gunzip, gzip, gzipSync } from 'node:zlib'
import { KiB } from '@kre/contracts/runtime'

/** Smaller answers are not worth the processor time. */
const COMPRESS_BYTES_MIN = 64 * KiB
const SAMPLE_BYTES = 4 * KiB
/** How much a sample must shrink: images and tensors do not, and are sent as they are. */
const SAMPLE_GAIN_MIN = 1.5

/**
 * Inflates one message off the main thread.
 *
 * @param done gets 'too-large' beyond `bytesMax` (a bomb is never inflated further), 'malformed' for other bytes.
 */
export function inflateMessage(
  message: Uint8Array,
  bytesMax: number,
  done: (result: Uint8Array | 'too-large' | 'malformed') => void,
): void {
  gunzip(message, { maxOutputLength: Math.max(bytesMax, 1) }, (error, inflated) => {
    if (error === null) done(inflated)
    else done('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'malformed')
  })
}

/** Whether an answer is large enough, and a sample of it shrinks enough, to be compressed. */
export function isWorthCompressing(value: Uint8Array): boolean {
  if (value.length < COMPRESS_BYTES_MIN) return false
  const sample = value.subarray(0, SAMPLE_BYTES)
  return gzipSync(sample, { level: 1 }).length * SAMPLE_GAIN_MIN <= sample.length
}

/** Deflates one message off the main thread; null when that fails. */
export function deflateMessage(
  value: Uint8Array,
  done: (deflated: Uint8Array | null) => void,
): void {
  gzip(value, { level: constants.Z_BEST_SPEED }, (error, deflated) =>
    done(error === null ? deflated : null),
  )
}
