import { createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { KreError } from '@kre/contracts'

/** 256 random bits: guessing is hopeless, so a token needs no owner's name beside it. */
const TOKEN_BYTES = 32
const PEPPER_BYTES_MIN = 32

/** The form of a token: 43 characters of base64url. */
export const TOKEN = /^[A-Za-z0-9_-]{43}$/

export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** Six digits for people to read and type: a proof beside another one, never alone. */
export function createCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0')
}

/** Turns a token into what is stored of it; without the pepper the store says nothing about tokens. */
export type HashToken = (token: string) => string

/** @throws KreError `invalid-argument` when the pepper is too short. */
export function createTokenHash(pepper: Buffer): HashToken {
  if (pepper.length < PEPPER_BYTES_MIN)
    throw new KreError(
      'invalid-argument',
      `the pepper has ${pepper.length} bytes: use at least ${PEPPER_BYTES_MIN} random ones`,
    )
  return (token) => createHmac('sha256', pepper).update(token).digest('base64url')
}

/** Compares hashes in a time that says nothing about where they differ. */
export function equalHashes(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
