import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DAY_MS } from '@kre/contracts'
import { activities, type ActivityRow } from '../testing/audit-of.ts'
import { bearerOf, makeUser, type Headers } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi
let all: ActivityRow[]
let manager: Headers

beforeAll(async () => {
  api = await startTestApi()
  await api.createRuntime('demo')
  await api.createRuntime('other')
  await makeUser(api, 'mara@kre.io', { grants: [{ runtimeId: 'demo', accessLevel: 'MANAGER' }] })
  api.clock.offsetMs = DAY_MS
  manager = await bearerOf(api, 'mara@kre.io')
  for (let n = 1; n <= 35; n += 1) await changeSettings(n, [`d${n}.io`])
  await api.operate('startVersion', 'nope')
  all = await pages('')
})
afterAll(() => api[Symbol.asyncDispose]())

const changeSettings = (sessionLifetimeInDays: number, authAllowedDomains: string[]) =>
  api.graphql(
    'mutation ($input: SettingsInput!) { updateSettings(input: $input) { sessionLifetimeInDays } }',
    { input: { sessionLifetimeInDays, authAllowedDomains } },
  )

/** The whole list, page by page. */
async function pages(filters: string, headers?: Headers): Promise<ActivityRow[]> {
  const rows: ActivityRow[] = []
  for (;;) {
    const cursor = rows.length === 0 ? '' : `lastId: "${rows.at(-1)?.id}"`
    const all = `${filters} ${cursor}`.trim()
    const page = await activities(api, all === '' ? '' : `(${all})`, headers)
    expect(page.length).toBeLessThanOrEqual(30)
    rows.push(...page)
    if (page.length < 30) return rows
  }
}

describe('the list of activities', () => {
  test('goes on where the page before ended, also in the middle of one change', () => {
    expect(all.map(({ id }) => id)).toEqual([...new Set(all.map(({ id }) => id))])
    // A start, 35 times two settings, and what came before.
    expect(all[0]?.type).toBe('START_VERSION')
    expect(all.filter(({ type }) => type === 'UPDATE_SETTING')).toHaveLength(70)
    expect(all[70]?.type).toBe('UPDATE_SETTING')
    const links = all.map(({ id }) => Math.trunc(Number(id)))
    expect(links).toEqual(links.toSorted((one, other) => other - one))
  })

  test.each([
    ['(types: [LOGIN, CREATE_USER])', 2],
    ['(userEmail: "mara@kre.io")', 1],
    ['(userEmail: "MARA@kre.io")', 1],
    ['(userEmail: "nobody@kre.io")', 0],
    ['(userEmail: "")', 0],
    ['(userEmail: "%")', 0],
    ['(types: [])', 30],
    ['(runtimeIds: ["demo"])', 2],
    ['(versionIds: ["nope"])', 0],
    ['(types: [LOGIN], userEmail: "dev@local.local")', 0],
  ])('narrowed by %s has %i rows', async (filters, count) => {
    expect(await activities(api, filters)).toHaveLength(count)
  })

  test('ends with the end of the day that toDate names', async () => {
    const today = new Date(Date.now()).toISOString()
    const rows = await pages(`toDate: "${today.slice(0, 10)}T00:00:00Z"`)
    expect(rows.map(({ type }) => type)).not.toContain('UPDATE_SETTING')
    expect(rows.map(({ type }) => type)).toContain('CREATE_USER')
    const tomorrow = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10)
    const since = await pages(`fromDate: "${tomorrow}T00:00:00Z"`)
    expect(since.length + rows.length).toBe(all.length)
  })

  test('shows managers what concerns their runtimes, and nothing else', async () => {
    const rows = await pages('', manager)
    expect(rows.map(({ type }) => type)).toEqual(['START_VERSION', 'CREATE_RUNTIME'])
    expect(await pages('runtimeIds: ["other"]', manager)).toEqual([])
  })

  test.each([
    ['(lastId: "x")', 'lastId'],
    ['(fromDate: "soon")', 'fromDate'],
  ])('refuses %s', async (filters, field) => {
    await expect(activities(api, filters)).rejects.toThrow(field)
  })
})

describe('the export', () => {
  const lines = async (query = '', headers: Headers = api.asOwner) => {
    const { status, text } = await api.send(`/api/v1/audit/export${query}`, { headers })
    expect(status).toBe(200)
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  test('has every link of the chain in its order, and the head last', async () => {
    const exported = await lines()
    const { data } = await api.graphql('{ auditIntegrity { links head { seq hash } } }')
    const integrity = data?.['auditIntegrity'] as unknown as { links: number; head: unknown }
    expect(exported.at(-1)).toEqual({ head: integrity.head })
    expect(exported.slice(0, -1).map(({ seq }) => seq)).toEqual(
      Array.from({ length: integrity.links }, (_, index) => index + 1),
    )
    const anchored = await api.graphql(
      'query ($head: AuditHeadInput!) { auditIntegrity(head: $head) { ok } }',
      { head: exported.at(-1)?.['head'] },
    )
    expect(anchored.data).toEqual({ auditIntegrity: { ok: true } })
    const wrong = await api.graphql(
      'query ($head: AuditHeadInput!) { auditIntegrity(head: $head) { ok firstBadSeq problems { message } } }',
      { head: { seq: 3, hash: 'f'.repeat(64) } },
    )
    expect(wrong.data).toMatchObject({ auditIntegrity: { ok: false, firstBadSeq: 3 } })
  })

  test('is narrowed as the list is', async () => {
    const logins = await lines('?types=LOGIN,CREATE_USER')
    expect(new Set(logins.map(({ type }) => type))).toEqual(
      new Set(['LOGIN', 'CREATE_USER', undefined]),
    )
    expect((await api.send('/api/v1/audit/export?types=X', { headers: api.asOwner })).status).toBe(
      400,
    )
  })

  test('gives managers the links of their runtimes', async () => {
    const own = await lines('', manager)
    expect(own).toHaveLength(4)
    expect(new Set(own.map(({ runtimeId }) => runtimeId))).toEqual(new Set(['demo']))
  })
})

test('a record that somebody damaged is listed all the same', async () => {
  const link = await api.store.audit.newest()
  if (link === null) throw new Error('there are links')
  const damaged = { ...link, seq: link.seq + 1, kind: 'outcome' as const, intentSeq: 9_999 }
  for (const [index, body] of ['not JSON', '{}', '{"rows":[[{"key":1}]]}', 'null'].entries())
    await api.store.audit.append(
      { ...damaged, seq: damaged.seq + index, intentSeq: 9_999 + index, body },
      { seq: damaged.seq + index, hash: link.hash, mac: '' },
    )
  const rows = await activities(api)
  expect(rows.slice(0, 4).map(({ outcome }) => outcome)).toEqual(Array(4).fill('UNKNOWN'))
  expect(rows.map(({ isGenuine }) => isGenuine)).toEqual([
    ...Array<boolean>(4).fill(false),
    ...Array<boolean>(26).fill(true),
  ])
  const { status } = await api.send('/api/v1/audit/export', { headers: api.asOwner })
  expect(status).toBe(200)
})
