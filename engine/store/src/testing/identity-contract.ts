import { describe, expect, test } from '@jest/globals'
import { type ApiToken, type Login, type SignInLink } from '../ports/identity-store.ts'
import type { MakeStore } from './make-store.ts'
import { userContract } from './user-contract.ts'

const NOW = new Date('2026-01-01T00:00:00.000Z')
const SOON = new Date('2026-01-01T00:01:00.000Z')
const LATER = new Date('2026-01-01T01:00:00.000Z')

export function sampleLogin(id: string, changes: Partial<Login> = {}): Login {
  return {
    id,
    tokenHash: `hash-of-${id}`,
    user: 'ada@kre.io',
    method: 'link',
    apiTokenId: null,
    userAgent: 'Firefox',
    createdAt: NOW,
    expiresAt: LATER,
    usedAt: NOW,
    ...changes,
  }
}

export function sampleToken(id: string, changes: Partial<ApiToken> = {}): ApiToken {
  return {
    id,
    user: 'ada@kre.io',
    name: `token ${id}`,
    tokenHash: `hash-of-${id}`,
    scope: 'read',
    runtimeIds: ['demo', 'shop'],
    createdAt: NOW,
    expiresAt: LATER,
    usedAt: null,
    ...changes,
  }
}

const link = (changes: Partial<SignInLink> = {}): SignInLink => ({
  linkHash: 'hash',
  user: 'ada@kre.io',
  browserHash: null,
  codeHash: null,
  codeTries: 3,
  expiresAt: LATER,
  ...changes,
})
const NO_PROOF = { browserHash: null, codeHash: null }

export function identityContract(makeStore: MakeStore): void {
  describe('identity', () => {
    userContract(makeStore)
    linkContract(makeStore)
    loginContract(makeStore)
    tokenContract(makeStore)
    settingsContract(makeStore)
    attemptContract(makeStore)
  })
}

function linkContract(makeStore: MakeStore): void {
  test('a sign-in link gives its user to exactly one of parallel calls', async () => {
    await using store = await makeStore()
    await store.identity.links.create(link(), NOW)
    const uses = await Promise.all(
      Array.from({ length: 8 }, () => store.identity.links.use('hash', NO_PROOF, NOW)),
    )
    expect(uses.filter(({ outcome }) => outcome === 'used')).toEqual([
      { outcome: 'used', user: 'ada@kre.io' },
    ])
    expect(uses.filter(({ outcome }) => outcome === 'void')).toHaveLength(7)
  })

  test('a sign-in link that is unknown, expired or withdrawn gives nobody', async () => {
    await using store = await makeStore()
    const { links } = store.identity
    expect(await links.use('unknown', NO_PROOF, NOW)).toEqual({ outcome: 'void' })
    await links.create(link({ linkHash: 'expired', expiresAt: SOON }), NOW)
    expect(await links.find('expired', SOON)).toBeNull()
    expect(await links.use('expired', NO_PROOF, SOON)).toEqual({ outcome: 'void' })
    await links.create(link({ linkHash: 'withdrawn' }), NOW)
    await links.create(link({ linkHash: 'of eve', user: 'eve@kre.io' }), NOW)
    await links.removeOf('ada@kre.io')
    expect(await links.use('withdrawn', NO_PROOF, NOW)).toEqual({ outcome: 'void' })
    expect(await links.find('of eve', NOW)).toEqual(
      link({ linkHash: 'of eve', user: 'eve@kre.io' }),
    )
  })

  test('a sign-in link is made once', async () => {
    await using store = await makeStore()
    await store.identity.links.create(link(), NOW)
    await expect(
      store.identity.links.create(link({ user: 'eve@kre.io' }), NOW),
    ).rejects.toMatchObject({ code: 'already-exists' })
  })

  test('a bound sign-in link is for its browser or its code, and wrong codes run out', async () => {
    await using store = await makeStore()
    const { links } = store.identity
    const bound = { browserHash: 'browser', codeHash: 'code' }
    const used = { outcome: 'used', user: 'ada@kre.io' }
    await links.create(link({ linkHash: 'by browser', ...bound }), NOW)
    await links.create(link({ linkHash: 'by code', ...bound }), NOW)
    await links.create(link({ linkHash: 'guessed', ...bound }), NOW)
    await links.create(link({ linkHash: 'codeless', browserHash: 'browser' }), NOW)
    expect(await links.use('by browser', { ...NO_PROOF, browserHash: 'browser' }, NOW)).toEqual(
      used,
    )
    expect(await links.use('by code', NO_PROOF, NOW)).toEqual({ outcome: 'refused' })
    expect(await links.use('by code', { browserHash: 'code', codeHash: 'browser' }, NOW)).toEqual({
      outcome: 'refused',
    })
    expect(await links.use('by code', { browserHash: 'other', codeHash: 'code' }, NOW)).toEqual(
      used,
    )
    expect(await links.use('codeless', NO_PROOF, NOW)).toEqual({ outcome: 'refused' })
    const outcomes = []
    for (let i = 0; i < 4; i += 1)
      outcomes.push((await links.use('guessed', { browserHash: null, codeHash: 'x' }, NOW)).outcome)
    expect(outcomes).toEqual(['refused', 'refused', 'refused', 'void'])
    expect(await links.use('guessed', { browserHash: 'browser', codeHash: 'code' }, NOW)).toEqual({
      outcome: 'void',
    })
  })
}

function loginContract(makeStore: MakeStore): void {
  test('a login lives until it expires or is removed', async () => {
    await using store = await makeStore()
    const { logins } = store.identity
    const login = sampleLogin('one')
    await logins.create(login)
    expect(await logins.find('hash-of-one', NOW)).toEqual(login)
    expect(await logins.find('hash-of-one', LATER)).toBeNull()
    expect(await logins.find('other', NOW)).toBeNull()
    await logins.remove('hash-of-one')
    await logins.remove('hash-of-one')
    expect(await logins.find('hash-of-one', NOW)).toBeNull()
  })

  test('a login has an id and a token of its own', async () => {
    await using store = await makeStore()
    const { logins } = store.identity
    await logins.create(sampleLogin('one'))
    for (const other of [
      sampleLogin('one', { tokenHash: 'h' }),
      sampleLogin('x', { tokenHash: 'hash-of-one' }),
    ])
      await expect(logins.create(other)).rejects.toMatchObject({ code: 'already-exists' })
  })

  test('logins are listed by user, newest first, and touched forwards only', async () => {
    await using store = await makeStore()
    const { logins } = store.identity
    await logins.create(sampleLogin('old'))
    await logins.create(
      sampleLogin('new', { createdAt: SOON, method: 'api-token', apiTokenId: 't' }),
    )
    await logins.create(sampleLogin('hers', { user: 'eve@kre.io' }))
    await logins.create(sampleLogin('short', { createdAt: SOON, expiresAt: SOON }))
    const ids = async (at: Date) => (await logins.list('ada@kre.io', at)).map(({ id }) => id)
    expect(await ids(SOON)).toEqual(['new', 'old'])
    expect(await ids(LATER)).toEqual([])
    await logins.touch('hash-of-old', SOON)
    await logins.touch('hash-of-old', NOW)
    await logins.touch('unknown', SOON)
    expect((await logins.find('hash-of-old', NOW))?.usedAt).toEqual(SOON)
  })

  test('logins are ended one by one, of their user or of anybody, or all at once', async () => {
    await using store = await makeStore()
    const { logins } = store.identity
    for (const id of ['a', 'b', 'c', 'd']) await logins.create(sampleLogin(id))
    await logins.create(sampleLogin('hers', { user: 'eve@kre.io' }))
    expect(await logins.removeById('a', 'eve@kre.io')).toBeNull()
    expect(await logins.removeById('a', 'ada@kre.io')).toEqual(sampleLogin('a'))
    expect(await logins.removeById('a', 'ada@kre.io')).toBeNull()
    expect(await logins.removeById('b', null)).toEqual(sampleLogin('b'))
    expect(await logins.removeAll('ada@kre.io')).toBe(2)
    expect(await logins.removeAll('ada@kre.io')).toBe(0)
    expect(await logins.find('hash-of-hers', NOW)).not.toBeNull()
  })
}

function tokenContract(makeStore: MakeStore): void {
  test('API tokens are found by id and listed by user, oldest first', async () => {
    await using store = await makeStore()
    const { apiTokens } = store.identity
    const older = sampleToken('b')
    const newer = sampleToken('a', { createdAt: SOON, runtimeIds: null, scope: 'full' })
    await apiTokens.create(newer)
    await apiTokens.create(older)
    await apiTokens.create(
      sampleToken('c', { user: 'eve@kre.io', name: older.name, runtimeIds: [] }),
    )
    expect(await apiTokens.find('a')).toEqual(newer)
    expect((await apiTokens.find('c'))?.runtimeIds).toEqual([])
    expect(await apiTokens.find('x')).toBeNull()
    expect(await apiTokens.list('ada@kre.io')).toEqual([older, newer])
    await apiTokens.touch('a', SOON)
    await apiTokens.touch('a', NOW)
    await apiTokens.touch('x', NOW)
    expect((await apiTokens.find('a'))?.usedAt).toEqual(SOON)
  })

  test('of parallel API tokens with one name, one is made', async () => {
    await using store = await makeStore()
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((id) => store.identity.apiTokens.create(sampleToken(id, { name: 'ci' }))),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const result of results)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({
          code: 'already-exists',
          message: 'API Token name duplicated',
        })
  })

  test('an API token is removed by its owner or for everybody, with the logins it gave', async () => {
    await using store = await makeStore()
    const { apiTokens, logins } = store.identity
    await apiTokens.create(sampleToken('a'))
    await apiTokens.create(sampleToken('b'))
    await logins.create(sampleLogin('by a', { apiTokenId: 'a' }))
    await logins.create(sampleLogin('by b', { apiTokenId: 'b' }))
    expect(await apiTokens.remove('a', 'eve@kre.io')).toBeNull()
    expect(await apiTokens.remove('a', 'ada@kre.io')).toEqual(sampleToken('a'))
    expect(await apiTokens.remove('a', null)).toBeNull()
    expect((await logins.list('ada@kre.io', NOW)).map(({ id }) => id)).toEqual(['by b'])
    expect(await apiTokens.remove('b', null)).toEqual(sampleToken('b'))
  })
}

function settingsContract(makeStore: MakeStore): void {
  test('settings have defaults, and are set field by field', async () => {
    await using store = await makeStore()
    const { settings } = store.identity
    const before = { authAllowedDomains: [], sessionLifetimeInDays: 30 }
    expect(await settings.get()).toEqual(before)
    const after = { ...before, sessionLifetimeInDays: 7 }
    expect(await settings.set({ sessionLifetimeInDays: 7 })).toEqual({ before, after })
    expect(await settings.set({ authAllowedDomains: ['kre.io'] })).toEqual({
      before: after,
      after: { ...after, authAllowedDomains: ['kre.io'] },
    })
    expect(await settings.get()).toEqual({ ...after, authAllowedDomains: ['kre.io'] })
  })
}

function attemptContract(makeStore: MakeStore): void {
  test('attempts are counted by key until their counter ends', async () => {
    await using store = await makeStore()
    const { attempts } = store.identity
    const counts = await Promise.all(
      Array.from({ length: 5 }, () => attempts.add('mail/ada', SOON, NOW)),
    )
    expect(counts.map(({ count }) => count).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5])
    expect(await attempts.add('mail/eve', SOON, NOW)).toEqual({ count: 1, expiresAt: SOON })
    // A later end does not prolong what has begun.
    expect(await attempts.add('mail/ada', LATER, NOW)).toEqual({ count: 6, expiresAt: SOON })
    expect(await attempts.add('mail/ada', LATER, SOON)).toEqual({ count: 1, expiresAt: LATER })
  })
}
