import { describe, expect, test } from '@jest/globals'
import { createAccount, createOperator, createUser, fromSeed } from '@nats-io/nkeys'
import { createKeyPair, keyPairFromSeed } from './nkey.ts'

const TEXT = new TextEncoder()
const KINDS = ['operator', 'account', 'user'] as const
const THEIRS = { operator: createOperator, account: createAccount, user: createUser }

describe.each(KINDS)('a key pair of a NATS %s', (kind) => {
  test("is the same in NATS's own library, and signs the same", () => {
    const ours = createKeyPair(kind)
    const theirs = fromSeed(TEXT.encode(ours.seed))
    expect(theirs.getPublicKey()).toBe(ours.publicKey)
    expect(theirs.verify(TEXT.encode('a text'), ours.sign('a text'))).toBe(true)
    expect(Buffer.from(theirs.sign(TEXT.encode('a text')))).toEqual(ours.sign('a text'))
  })

  test("is read from a seed that NATS's own library has made", () => {
    const theirs = THEIRS[kind]()
    const ours = keyPairFromSeed(kind, new TextDecoder().decode(theirs.getSeed()))
    expect(ours.publicKey).toBe(theirs.getPublicKey())
  })

  test('is refused when its seed is damaged, or of another kind, and is never shown', () => {
    const { seed } = createKeyPair(kind)
    const other = KINDS[(KINDS.indexOf(kind) + 1) % KINDS.length] ?? 'user'
    for (const broken of [
      '',
      seed.slice(0, -1),
      `${seed.slice(0, 20)}A${seed.slice(21)}`.replace(seed, ''),
      'x',
    ])
      expect(() => keyPairFromSeed(kind, broken)).toThrow(`no seed of a NATS ${kind}`)
    expect(() => keyPairFromSeed(other, seed)).toThrow(`no seed of a NATS ${other}`)
  })
})
