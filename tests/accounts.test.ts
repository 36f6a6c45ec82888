/** The command line's verbs about people, against the real admin API. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { TestApi } from '../engine/admin-api/src/testing/start-test-api.ts'
import { krectl } from '../engine/krectl/src/testing/krectl.ts'
import { startKrectlApi } from './support/krectl-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await startKrectlApi()
  await api.createRuntime('demo')
})
afterAll(() => api[Symbol.asyncDispose]())

const run = (line: string) => krectl(line.split(' '), { environment: { KRE_DATA: api.dataDir } })
const json = async <T = Record<string, unknown>[]>(line: string): Promise<T> => {
  const { code, stdout, stderr } = await run(`${line} --json`)
  if (code !== 0) throw new Error(`${line}: ${stderr}`)
  return JSON.parse(stdout) as T
}

describe('krectl', () => {
  test('makes an administrator with a link that signs them in', async () => {
    const { id, url } = await json<{ id: string; url: string }>('admin create Ada@KRE.io')
    expect(id).toBe('ada@kre.io')
    const { headers } = await api.send(new URL(url).pathname, { method: 'POST' })
    const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    const { data } = await api.graphql('{ me { id accessLevel } }', {}, { cookie })
    expect(data).toEqual({ me: { id: 'ada@kre.io', accessLevel: 'ADMIN' } })
    const { code, stderr } = await run('user remove ada@kre.io')
    expect([code, stderr]).toEqual([1, expect.stringContaining('no administrator would be left')])
  })

  test('makes, changes, lists and removes users', async () => {
    await json('user create eve@kre.io --grant demo=manager')
    expect(await json('user level viewer eve@kre.io')).toEqual([
      { id: 'eve@kre.io', accessLevel: 'MANAGER' },
    ])
    const { stdout } = await run('user list')
    expect(stdout).toMatch(/^eve@kre\.io +VIEWER +demo=MANAGER +0 +never$/m)
    expect(await json('user grant eve@kre.io')).toEqual([
      { id: 'eve@kre.io', accessLevel: 'VIEWER' },
    ])
    expect(await json('user level none eve@kre.io')).toHaveLength(1)
    expect(await json('user remove eve@kre.io')).toHaveLength(1)
    expect((await json('user list')).map(({ id }) => id)).not.toContain('eve@kre.io')
  })

  test('replaces no rights that somebody else has changed meanwhile', async () => {
    await json('user create max@kre.io --grant demo=manager')
    const grant = 'user grant max@kre.io demo=viewer --if-grants'
    const lost = await run(`${grant} none`)
    expect([lost.code, lost.stderr]).toEqual([
      1,
      expect.stringContaining('has the grants demo=MANAGER by now, where none was expected'),
    ])
    expect(await json(`${grant} demo=manager`)).toHaveLength(1)
    expect((await run('user level viewer max@kre.io --if-level admin')).stderr).toContain(
      'has the level none by now, where ADMIN was expected',
    )
    expect(await json('user level viewer max@kre.io --if-level none')).toHaveLength(1)
    await json('user remove max@kre.io')
  })

  test('lists logins and ends them', async () => {
    await json('user create bob@kre.io --level viewer')
    for (let i = 0; i < 3; i += 1) {
      const { url } = await json<{ url: string }>('login --new --user bob@kre.io')
      await api.send(new URL(url).pathname, { method: 'POST' })
    }
    const [first] = await json('user logins bob@kre.io')
    await json(`user end-login ${String(first?.['id'])}`)
    expect(await json('user logins bob@kre.io')).toHaveLength(2)
    await json('user revoke bob@kre.io')
    expect((await run('user logins bob@kre.io')).stdout).toBe('No logins.\n')
  })

  test('makes API tokens, shown once, and deletes them', async () => {
    const { stdout } = await run('token create ci --read --runtime demo --days 7')
    const token = stdout.trim()
    const headers = { authorization: `Bearer ${token}` }
    const { data } = await api.graphql('{ runtimes { id } }', {}, headers)
    expect(data).toEqual({ runtimes: [{ id: 'demo' }] })
    const [listed] = await json('token list')
    expect(listed).toMatchObject({ name: 'ci', scope: 'READ', runtimeIds: ['demo'] })
    await json(`token delete ${String(listed?.['id'])}`)
    expect((await api.graphql('{ runtimes { id } }', {}, headers)).status).toBe(401)
  })

  test('reads and changes settings', async () => {
    const set = 'settings set --session-days 7 --allow-domains kre.io a.example'
    expect(await json(set)).toEqual({
      authAllowedDomains: ['kre.io', 'a.example'],
      sessionLifetimeInDays: 7,
    })
    expect(await json('settings set --allow-nobody')).toMatchObject({ authAllowedDomains: [] })
    expect(await json('settings get')).toMatchObject({ sessionLifetimeInDays: 7 })
    const stale = await run('settings set --session-days 9 --if-session-days 8')
    expect([stale.code, stale.stderr]).toEqual([
      1,
      expect.stringContaining('a session lifetime of 7 days by now, where 8 was expected'),
    ])
    expect((await run('settings set --session-days 9 --if-domains a.example')).stderr).toContain(
      'the allowed domains none by now',
    )
    const fresh = 'settings set --session-days 9 --if-session-days 7 --if-domains none'
    expect(await json(fresh)).toMatchObject({ sessionLifetimeInDays: 9 })
  })

  test.each([
    'user create x@kre.io',
    'user create x@kre.io --level boss',
    'user create x@kre.io --grant demo',
    'user level boss x@kre.io',
    'token create x --days soon',
    'settings set',
  ])('refuses "%s" as wrong usage', async (line) => {
    expect((await run(line)).code).toBe(2)
  })
})
