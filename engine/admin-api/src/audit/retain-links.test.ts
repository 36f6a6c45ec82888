import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { DAY_MS } from '@kre/contracts'
import { createLogger, waitUntil } from '@kre/service-kit'
import { openSqliteStore, type Store } from '@kre/store'
import { startTestApi } from '../testing/start-test-api.ts'
import { createChain, type Chain, type NewLink } from './chain.ts'
import { deriveChainKey } from './chain-key.ts'
import { keepAuditBounded } from './keep-audit-bounded.ts'
import { retainLinks } from './retain-links.ts'
import { verifyChain, type Anchor } from './verify-chain.ts'

const key = deriveChainKey(Buffer.alloc(32, 7))
const day = (n: number) => new Date(Date.UTC(2026, 0, 1 + n))
const lines: string[] = []
const logger = createLogger('test', { destination: { write: (line) => void lines.push(line) } })
let dataDir: string
let store: Store
let chain: Chain

beforeEach(async () => {
  lines.length = 0
  dataDir = await mkdtemp(join(tmpdir(), 'kre-audit-'))
  store = await openSqliteStore({ dataDir })
  chain = createChain({ audit: store.audit, key, now: () => day(100) })
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true })
})

const link = (kind: NewLink['kind'], intentSeq: number | null, at: Date): NewLink => ({
  kind,
  intentSeq,
  at,
  actor: 'ada@kre.io',
  type: 'LOGIN',
  runtimeId: null,
  versionId: null,
  body: '{}',
})
/** One operation a day: links 2n + 1 and 2n + 2 are of day n. */
async function operate(days: number, options: { leaveOpen?: number } = {}): Promise<void> {
  for (let n = 0; n < days; n += 1) {
    const { seq } = await chain.append(link('intent', null, day(n)))
    if (n !== options.leaveOpen) await chain.append(link('outcome', seq, day(n)))
  }
}
const deps = () => ({ audit: store.audit, chain, key, now: () => day(100), logger })
const retain = (n: number) => retainLinks(deps(), day(n))
const verify = (known: Anchor | null = null) => verifyChain({ audit: store.audit, key }, known)
const seqs = async () => (await store.audit.read(1, 1000)).map(({ seq }) => seq)
/** Behind the engine's back. */
function execute(file: 'audit.sqlite' | 'kre.sqlite', sql: string): void {
  const database = new DatabaseSync(join(dataDir, file))
  database.exec(sql)
  database.close()
}

describe('what is old', () => {
  test('is removed, and what is left is verified as before', async () => {
    await operate(10)
    const { head } = await verify()
    const [, , , , , last] = await store.audit.read(1, 6)
    expect(await retain(3)).toBe(6)
    expect(await seqs()).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21])
    expect(await verify(head)).toMatchObject({
      ok: true,
      links: 15,
      removedThrough: { seq: 6, hash: last?.hash },
      openIntents: 0,
    })
    const notice = await store.audit.newest()
    expect(JSON.parse(notice?.body ?? '')).toMatchObject({
      removedThrough: { seq: 6 },
      olderThan: day(3).toISOString(),
    })
    // Again, and further.
    expect(await retain(3)).toBe(0)
    expect(await retain(5)).toBe(4)
    expect(await verify(head)).toMatchObject({ ok: true, removedThrough: { seq: 10 } })
    // All of it: what says so is left.
    expect(await retain(50)).toBe(10)
    expect(await verify()).toMatchObject({ ok: true, removedThrough: { seq: 20 } })
    await operate(2)
    expect((await verify()).ok).toBe(true)
  })

  test('is compared with no head that was removed with it', async () => {
    await operate(10)
    const [, , third] = await store.audit.read(1, 3)
    const known = { seq: 3, hash: third?.hash ?? '' }
    expect((await verify(known)).ok).toBe(true)
    await retain(3)
    await expect(verify(known)).rejects.toMatchObject({
      code: 'failed-precondition',
      details: { reason: 'AUDIT_REMOVED', removedThrough: 6 },
    })
    const { removedThrough } = await verify()
    expect((await verify(removedThrough)).ok).toBe(true)
    expect(await verify({ seq: 6, hash: '0'.repeat(64) })).toMatchObject({ ok: false })
  })

  test('stays when it is not closed, with everything behind it', async () => {
    await operate(10, { leaveOpen: 2 })
    expect(await retain(9)).toBe(4)
    expect((await seqs())[0]).toBe(5)
    expect(await verify()).toMatchObject({ ok: true, openIntents: 1 })
  })

  test('stays when the log was tampered with, so that a removal hides nothing', async () => {
    await operate(10)
    execute('audit.sqlite', `UPDATE links SET actor = 'eve@kre.io' WHERE seq = 4`)
    await expect(retain(5)).rejects.toMatchObject({
      code: 'failed-precondition',
      details: { reason: 'AUDIT_TAMPERED' },
    })
    expect(await seqs()).toHaveLength(20)
    expect((await verify()).problems[0]?.seq).toBe(4)
  })
})

describe('a removal that was cut off', () => {
  test.each([
    ['before the first link was gone', 0],
    ['in the middle', 4],
  ])('%s is no damage, and is finished by the next', async (_, removed) => {
    await operate(10)
    const links = await store.audit.read(1, 1000)
    await retain(3)
    const fields = `seq, kind, intent_seq, at, actor, type, key_id, prev_hash, hash, body`
    for (const one of links.slice(removed, 6))
      execute(
        'audit.sqlite',
        `INSERT INTO links (${fields}) VALUES (${one.seq}, '${one.kind}', ${one.intentSeq}, ${one.at.getTime()},
         '${one.actor}', '${one.type}', '${one.keyId}', '${one.prevHash}', '${one.hash}', '${one.body}')`,
      )
    expect(await verify()).toMatchObject({ ok: true, links: 21 - removed })
    expect(await retain(3)).toBe(6 - removed)
    expect((await seqs())[0]).toBe(7)
    expect((await verify()).ok).toBe(true)
  })
})

describe('somebody with the databases but without the key', () => {
  beforeEach(async () => {
    await operate(10)
    await retain(3)
  })
  test.each<[string, 'audit.sqlite' | 'kre.sqlite', string, number]>([
    ['removes more than was removed', 'audit.sqlite', 'DELETE FROM links WHERE seq <= 9', 7],
    ['removes what says so', 'kre.sqlite', 'DELETE FROM audit_anchor', 1],
    ['says that more was removed', 'kre.sqlite', 'UPDATE audit_anchor SET seq = 9', 1],
    ['makes up the first link', 'audit.sqlite', `UPDATE links SET body = '[]' WHERE seq = 7`, 7],
    [
      'puts a link of his own before it',
      'audit.sqlite',
      `INSERT INTO links SELECT 6, kind, 6, at, actor, type, runtime_id, version_id, key_id, prev_hash, hash, body
       FROM links WHERE seq = 7`,
      6,
    ],
  ])('who %s is found', async (_, file, sql, seq) => {
    expect((await verify()).ok).toBe(true)
    execute(file, sql)
    const verdict = await verify()
    expect(verdict).toMatchObject({ ok: false })
    expect(verdict.problems[0]?.seq).toBe(seq)
    await expect(retain(9)).rejects.toMatchObject({ code: 'failed-precondition' })
  })
})

test('the log is kept bounded from its start on, and a failure is said and not thrown', async () => {
  await operate(10)
  await keepAuditBounded(
    { retainAudit: (olderThan) => retainLinks(deps(), olderThan), now: () => day(100), logger },
    97 * 86_400_000,
  )[Symbol.asyncDispose]()
  expect((await seqs())[0]).toBe(7)
  const failing = keepAuditBounded(
    { retainAudit: () => Promise.reject(new Error('away')), now: () => day(0), logger },
    1,
  )
  await failing[Symbol.asyncDispose]()
  expect(lines.at(-1)).toContain('were not removed')
})

test('an engine with an age removes old links at its start, and says so to who verifies and exports', async () => {
  const pepper = Buffer.alloc(32, 9)
  await using before = await startTestApi({ pepper })
  await before.createRuntime('old')
  await using api = await startTestApi({
    store: before.store,
    pepper,
    auditAgeMs: DAY_MS,
    now: () => new Date(Date.now() + 2 * DAY_MS),
  })
  await waitUntil('the removal', () => api.logLines.join().includes('old links of the audit log'))
  await api.createRuntime('new')
  const { data } = await api.graphql('{ auditIntegrity { ok links removedThrough { seq } } }')
  expect(data?.['auditIntegrity']).toEqual({ ok: true, links: 3, removedThrough: { seq: 2 } })
  const { text } = await api.send('/api/v1/audit/export', { headers: api.asOwner })
  const exported = text.trim().split('\n')
  expect(JSON.parse(exported[0] ?? '')).toMatchObject({ removedThrough: { seq: 2 } })
  expect(JSON.parse(exported.at(-1) ?? '')).toMatchObject({ head: { seq: 5 } })
})
