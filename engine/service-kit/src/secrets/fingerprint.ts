import { createHmac } from 'node:crypto'

/**
 * 8 hexadecimal digits that are equal for equal values of a key: enough to see whether two versions have the same value
 * or whether it changed, too little to guess it, and nothing without `key`.
 */
export function fingerprint(key: Buffer, place: readonly string[], value: string): string {
  return keyedDigest(key, ['fingerprint', ...place], value).slice(0, 8)
}

/** The whole digest, 64 hexadecimal digits: stands for the value where a change of it must be seen. */
export function keyedDigest(key: Buffer, place: readonly string[], value: string): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([...place, value]))
    .digest('hex')
}
