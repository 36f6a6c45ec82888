/** Keys that data keys are wrapped with, as text: one a line, the one in force first. Pure. */
import { createHmac, randomBytes } from 'node:crypto'
import { KreError } from '@kre/contracts'

export type MasterKey = {
  /** 16 hexadecimal digits that tell keys apart and say nothing of them. */
  readonly id: string
  readonly bytes: Buffer
}
/** The key in force, then those that older values may still need. */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]]

const KEY_BYTES = 32
/** A key file with more is no key file. */
export const MASTER_KEYS_MAX = 16

export function makeMasterKey(): MasterKey {
  return toMasterKey(randomBytes(KEY_BYTES))
}

function toMasterKey(bytes: Buffer): MasterKey {
  const id = createHmac('sha256', bytes).update('kre master key').digest('hex').slice(0, 16)
  return { id, bytes }
}

/**
 * Reads 32 bytes a line, as base64, base64url or hexadecimal; `#` begins a comment.
 *
 * @param source is named in errors, the text never.
 * @throws KreError `failed-precondition`.
 */
export function parseMasterKeys(text: string, source: string): MasterKeys {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const keys = lines.map((line, index) => toMasterKey(parseKey(line, index + 1, source)))
  const [first, ...rest] = keys
  if (first === undefined)
    throw damaged(source, 'it holds no key', 'put back a copy of it, or 32 random bytes in base64')
  if (keys.length > MASTER_KEYS_MAX)
    throw damaged(source, `it holds ${keys.length} keys`, `use at most ${MASTER_KEYS_MAX}`)
  return [first, ...rest.filter(({ id }, index) => firstOf(keys, id) === index + 1)]
}

function firstOf(keys: readonly MasterKey[], id: string): number {
  return keys.findIndex((key) => key.id === id)
}

function parseKey(line: string, number: number, source: string): Buffer {
  const bytes = /^[0-9a-fA-F]{64}$/.test(line)
    ? Buffer.from(line, 'hex')
    : /^[A-Za-z0-9+/_-]{43}=?$/.test(line)
      ? Buffer.from(line, 'base64')
      : null
  if (bytes?.length === KEY_BYTES) return bytes
  throw damaged(
    source,
    `key ${number} is not 32 bytes in base64 or hexadecimal`,
    'put back a copy of it',
  )
}

export function formatMasterKeys(keys: MasterKeys): string {
  return [
    '# Master key of KRE: without it the stored configuration values are lost. Keep a copy elsewhere.',
    '# The first key is in force; others are kept until no value needs them.',
    ...keys.map(({ bytes }) => bytes.toString('base64')),
    '',
  ].join('\n')
}

function damaged(source: string, problem: string, advice: string): KreError {
  return new KreError('failed-precondition', `the master key in ${source}: ${problem}; ${advice}`, {
    reason: 'MASTER_KEY_INVALID',
  })
}
