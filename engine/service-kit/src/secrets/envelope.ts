/**
 * A value at rest: encrypted by a data key of its own, which the master key wraps. Both are AES-256-GCM with a random
 * nonce of 96 bits. The value is bound to its place, so that a ciphertext copied elsewhere can't be opened there.
 *
 * `kre1:<master key id>:<data key id>:<wrapped data key>:<value>`, the last two as base64url of nonce, tag, ciphertext.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { KeyRing } from './key-ring.ts'
import type { MasterKey } from './master-keys.ts'

const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const FORM = /^kre1:([0-9a-f]{16}):([0-9a-f]{16}):([\w-]{80}):([\w-]{38,})$/

/** What a sealed value belongs to, outermost first: `['config', runtimeId, version, key]`. */
export type SealedPlace = readonly string[]

export type Opened =
  | { readonly ok: true; readonly value: string }
  /** `corrupt`: changed, cut off, or of another place. `unknown-key`: its master key is not here. */
  | { readonly ok: false; readonly reason: 'corrupt' }
  | { readonly ok: false; readonly reason: 'unknown-key'; readonly masterKeyId: string }

export function isSealed(text: string): boolean {
  return FORM.test(text)
}

/** Null = not a sealed value. */
export function masterKeyIdOf(sealed: string): string | null {
  return FORM.exec(sealed)?.[1] ?? null
}

export function sealValue(ring: KeyRing, place: SealedPlace, value: string): string {
  const dataKey = randomBytes(KEY_BYTES)
  const dataKeyId = randomBytes(8).toString('hex')
  const body = encrypt(dataKey, valueLabel(place, dataKeyId), Buffer.from(value, 'utf8'))
  const sealed = join(ring.current, dataKeyId, dataKey, body)
  dataKey.fill(0)
  return sealed
}

export function openSealed(ring: KeyRing, place: SealedPlace, sealed: string): Opened {
  const unwrapped = unwrap(ring, sealed)
  if (!unwrapped.ok) return unwrapped
  const { dataKey, dataKeyId, body } = unwrapped
  const value = decrypt(dataKey, valueLabel(place, dataKeyId), body)
  dataKey.fill(0)
  return value === null ? CORRUPT : { ok: true, value: value.toString('utf8') }
}

/** The same value with its data key wrapped by the key in force; the value itself is not opened. */
export function rewrap(ring: KeyRing, sealed: string): Opened {
  const unwrapped = unwrap(ring, sealed)
  if (!unwrapped.ok) return unwrapped
  const { dataKey, dataKeyId, body } = unwrapped
  const value = join(ring.current, dataKeyId, dataKey, body)
  dataKey.fill(0)
  return { ok: true, value }
}

const CORRUPT = { ok: false, reason: 'corrupt' } as const

function join(master: MasterKey, dataKeyId: string, dataKey: Buffer, body: Buffer): string {
  const wrapped = encrypt(master.bytes, wrapLabel(master.id, dataKeyId), dataKey)
  return `kre1:${master.id}:${dataKeyId}:${wrapped.toString('base64url')}:${body.toString('base64url')}`
}

function unwrap(
  ring: KeyRing,
  sealed: string,
): { ok: true; dataKey: Buffer; dataKeyId: string; body: Buffer } | Exclude<Opened, { ok: true }> {
  const [, masterKeyId = '', dataKeyId = '', wrapped = '', body = ''] = FORM.exec(sealed) ?? []
  if (masterKeyId === '') return CORRUPT
  const master = ring.find(masterKeyId)
  if (master === null) return { ok: false, reason: 'unknown-key', masterKeyId }
  const label = wrapLabel(masterKeyId, dataKeyId)
  const dataKey = decrypt(master.bytes, label, Buffer.from(wrapped, 'base64url'))
  if (dataKey === null) return CORRUPT
  return { ok: true, dataKey, dataKeyId, body: Buffer.from(body, 'base64url') }
}

/** JSON, because no two lists of parts have the same. */
function valueLabel(place: SealedPlace, dataKeyId: string): Buffer {
  return Buffer.from(JSON.stringify(['kre1', 'value', dataKeyId, ...place]))
}

function wrapLabel(masterKeyId: string, dataKeyId: string): Buffer {
  return Buffer.from(JSON.stringify(['kre1', 'data key', masterKeyId, dataKeyId]))
}

function encrypt(key: Buffer, label: Buffer, plain: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(label)
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text])
}

/** Null = not what was encrypted with this key and label. */
function decrypt(key: Buffer, label: Buffer, data: Buffer): Buffer | null {
  if (data.length < NONCE_BYTES + TAG_BYTES) return null
  const nonce = data.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(label)
  decipher.setAuthTag(data.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  try {
    const plain = decipher.update(data.subarray(NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([plain, decipher.final()])
  } catch {
    return null // Node says no more than that the tag does not fit
  }
}
