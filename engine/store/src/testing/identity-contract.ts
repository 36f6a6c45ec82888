import { describe, expect, test } from '@jest/globals'
import type { MakeStore } from './make-store.ts'

const NOW = new Date('2026-01-01T00:00:00.000Z')
const LATER = new Date('2026-01-01T01:00:00.000Z')

export function identityContract(makeStore: MakeStore): void {
  describe('identity', () => {
    test('a sign-in link gives its user to exactly one of parallel calls', async () => {
      await using store = await makeStore()
      await store.identity.createSignInLink('hash', 'ada@kre', LATER)
      const users = await Promise.all(
        Array.from({ length: 8 }, () => store.identity.consumeSignInLink('hash', NOW)),
      )
      expect(users.filter((user) => user !== null)).toEqual(['ada@kre'])
    })

    test('a sign-in link that is unknown, expired or withdrawn gives nobody', async () => {
      await using store = await makeStore()
      expect(await store.identity.consumeSignInLink('unknown', NOW)).toBeNull()
      await store.identity.createSignInLink('expired', 'ada@kre', NOW)
      expect(await store.identity.consumeSignInLink('expired', NOW)).toBeNull()
      await store.identity.createSignInLink('withdrawn', 'ada@kre', LATER)
      await store.identity.removeSignInLinks()
      expect(await store.identity.consumeSignInLink('withdrawn', NOW)).toBeNull()
    })

    test('a sign-in link is made once', async () => {
      await using store = await makeStore()
      await store.identity.createSignInLink('hash', 'ada@kre', LATER)
      await expect(store.identity.createSignInLink('hash', 'eve@kre', LATER)).rejects.toMatchObject(
        { code: 'already-exists' },
      )
    })

    test('a login lives until it expires or is removed', async () => {
      await using store = await makeStore()
      const login = { tokenHash: 'token', user: 'ada@kre', createdAt: NOW, expiresAt: LATER }
      await store.identity.createLogin(login)
      expect(await store.identity.findLogin('token', NOW)).toEqual(login)
      expect(await store.identity.findLogin('token', LATER)).toBeNull()
      expect(await store.identity.findLogin('other', NOW)).toBeNull()
      await store.identity.removeLogin('token')
      await store.identity.removeLogin('token')
      expect(await store.identity.findLogin('token', NOW)).toBeNull()
    })
  })
}
