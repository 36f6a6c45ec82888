import { describe, expect, test } from '@jest/globals'
import type { Store } from '../ports/store.ts'
import type { MakeStore } from './make-store.ts'
import { sampleRuntime } from './sample-records.ts'

const NOW = new Date('2026-01-01T00:00:00.000Z')
const LATER = new Date('2026-01-01T01:00:00.000Z')
const newUser = (email: string, accessLevel: 'VIEWER' | 'ADMIN' | null = 'VIEWER') => ({
  email,
  accessLevel,
  grants: [],
  createdAt: NOW,
})
const untouched = { lastActivityAt: null, removedAt: null }

export function userContract(makeStore: MakeStore): void {
  describe('users', () => {
    test('are found as they were made, and listed by e-mail', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      await store.runtimes.create(sampleRuntime('shop'))
      await store.runtimes.create(sampleRuntime('demo'))
      const eve = {
        ...newUser('eve@kre.io', null),
        grants: [
          { runtimeId: 'demo', accessLevel: 'MANAGER' as const },
          { runtimeId: 'shop', accessLevel: 'VIEWER' as const },
        ],
      }
      await users.create({ ...eve, grants: eve.grants.toReversed() })
      await users.create(newUser('ada@kre.io', 'ADMIN'))
      expect(await users.find('eve@kre.io')).toEqual({ ...eve, ...untouched })
      expect(await users.find('nobody@kre.io')).toBeNull()
      expect(await users.list()).toEqual([
        { ...newUser('ada@kre.io', 'ADMIN'), ...untouched },
        { ...eve, ...untouched },
      ])
    })

    test('of parallel creations of one e-mail, one wins', async () => {
      await using store = await makeStore()
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => store.identity.users.create(newUser('ada@kre.io'))),
      )
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of results)
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({
            code: 'already-exists',
            message: 'there is already a user with the same email',
          })
    })

    test('come back after a removal without what they had', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      await store.runtimes.create(sampleRuntime('demo'))
      const grants = [{ runtimeId: 'demo', accessLevel: 'MANAGER' as const }]
      await users.create({ ...newUser('ada@kre.io'), grants })
      await users.touch('ada@kre.io', NOW)
      await users.remove('ada@kre.io', LATER)
      expect(await users.find('ada@kre.io')).toMatchObject({ grants: [], removedAt: LATER })
      expect(await users.list()).toEqual([])
      await store.identity.logins.create({
        id: 'late',
        tokenHash: 'late',
        user: 'ada@kre.io',
        method: 'link',
        apiTokenId: null,
        userAgent: '',
        createdAt: NOW,
        expiresAt: LATER,
        usedAt: NOW,
      })
      await users.create({ ...newUser('ada@kre.io', null), createdAt: LATER })
      expect(await store.identity.logins.find('late', NOW)).toBeNull()
      expect(await users.find('ada@kre.io')).toEqual({
        ...newUser('ada@kre.io', null),
        createdAt: LATER,
        ...untouched,
      })
    })

    test('change level and grants apart', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      await store.runtimes.create(sampleRuntime('demo'))
      await users.create(newUser('ada@kre.io'))
      const grants = [{ runtimeId: 'demo', accessLevel: 'MANAGER' as const }]
      await users.setGrants('ada@kre.io', grants)
      await users.setLevel('ada@kre.io', null)
      expect(await users.find('ada@kre.io')).toMatchObject({ accessLevel: null, grants })
      await users.setGrants('ada@kre.io', [])
      expect(await users.find('ada@kre.io')).toMatchObject({ grants: [] })
    })

    test('get grants on runtimes that are there only, all or none of them', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      await store.runtimes.create(sampleRuntime('demo'))
      await users.create(newUser('ada@kre.io'))
      const grants = ['demo', 'ghost'].map((runtimeId) => ({
        runtimeId,
        accessLevel: 'VIEWER' as const,
      }))
      const missing = { code: 'not-found', message: 'there is no runtime "ghost"' }
      await expect(users.setGrants('ada@kre.io', grants)).rejects.toMatchObject(missing)
      await expect(users.create({ ...newUser('eve@kre.io'), grants })).rejects.toMatchObject(
        missing,
      )
      expect(await users.find('ada@kre.io')).toMatchObject({ grants: [] })
      expect(await users.find('eve@kre.io')).toBeNull()
    })

    test('lose their grants with the runtime, also for the next one of its id', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      await store.runtimes.create(sampleRuntime('demo'))
      const grants = [{ runtimeId: 'demo', accessLevel: 'VIEWER' as const }]
      await users.create({ ...newUser('ada@kre.io', null), grants })
      await store.runtimes.remove('demo')
      await store.runtimes.create(sampleRuntime('demo'))
      expect(await users.find('ada@kre.io')).toMatchObject({ grants: [] })
    })

    test('that are not there can’t be changed', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      await users.create(newUser('gone@kre.io'))
      await users.remove('gone@kre.io', NOW)
      for (const email of ['nobody@kre.io', 'gone@kre.io'])
        for (const change of [
          () => users.setLevel(email, 'ADMIN'),
          () => users.setGrants(email, []),
          () => users.remove(email, NOW),
        ])
          await expect(change()).rejects.toMatchObject({ code: 'not-found' })
      await users.touch('nobody@kre.io', NOW)
      expect(await users.find('nobody@kre.io')).toBeNull()
    })

    test('are touched forwards only', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      await users.create(newUser('ada@kre.io'))
      await users.touch('ada@kre.io', LATER)
      await users.touch('ada@kre.io', NOW)
      expect((await users.find('ada@kre.io'))?.lastActivityAt).toEqual(LATER)
    })

    test('keep one administrator, whatever races', async () => {
      await using store = await makeStore()
      const { users } = store.identity
      const last = { code: 'failed-precondition', details: { reason: 'LAST_ADMIN' } }
      await users.create(newUser('ada@kre.io', 'ADMIN'))
      await expect(users.setLevel('ada@kre.io', 'VIEWER')).rejects.toMatchObject(last)
      await expect(users.setLevel('ada@kre.io', null)).rejects.toMatchObject(last)
      await expect(users.remove('ada@kre.io', NOW)).rejects.toMatchObject(last)
      await users.setLevel('ada@kre.io', 'ADMIN')
      await users.create(newUser('eve@kre.io', 'ADMIN'))
      await Promise.allSettled([
        users.setLevel('ada@kre.io', 'VIEWER'),
        users.remove('eve@kre.io', NOW),
      ])
      expect(await admins(store)).not.toHaveLength(0)
    })

    test('take their logins, links and API tokens away', async () => {
      await using store = await makeStore()
      const { users, logins, links, apiTokens } = store.identity
      for (const user of ['ada@kre.io', 'eve@kre.io']) {
        await users.create(newUser(user))
        const at = { createdAt: NOW, expiresAt: LATER }
        const tokenHash = `hash ${user}`
        await logins.create({
          ...at,
          id: user,
          tokenHash,
          user,
          method: 'link',
          apiTokenId: null,
          userAgent: '',
          usedAt: NOW,
        })
        await links.create(
          {
            linkHash: user,
            user,
            browserHash: null,
            codeHash: null,
            codeTries: 1,
            expiresAt: LATER,
          },
          NOW,
        )
        await apiTokens.create({
          ...at,
          id: user,
          user,
          name: 'ci',
          tokenHash,
          scope: 'full',
          runtimeIds: null,
          usedAt: null,
        })
      }
      await users.remove('ada@kre.io', NOW)
      expect(await logins.find('hash ada@kre.io', NOW)).toBeNull()
      expect(await links.find('ada@kre.io', NOW)).toBeNull()
      expect(await apiTokens.find('ada@kre.io')).toBeNull()
      expect(await logins.find('hash eve@kre.io', NOW)).not.toBeNull()
      expect(await links.find('eve@kre.io', NOW)).not.toBeNull()
      expect(await apiTokens.find('eve@kre.io')).not.toBeNull()
    })
  })
}

async function admins(store: Store): Promise<string[]> {
  const users = await store.identity.users.list()
  return users.filter(({ accessLevel }) => accessLevel === 'ADMIN').map(({ email }) => email)
}
