/** What somebody with the database in hands, but without the engine's pepper, can do to the log. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openSqliteStore, type AuditStore } from '@kre/store'
import { createChain, type Chain, type NewLink } from './chain.ts'
import { deriveChainKey } from './chain-key.ts'
import { verifyChain, type Anchor, type ChainVerdict } from './verify-chain.ts'

const key = deriveChainKey(Buffer.alloc(32, 7))
const now = () => new Date()
let original: string

function newLink(n: number): NewLink {
  return {
    kind: 'notice',
    intentSeq: null,
    at: new Date(1_770_000_000_000 + n),
    actor: 'ada@kre.io',
    type: 'LOGIN',
    runtimeId: null,
    versionId: null,
    body: JSON.stringify({ n }),
  }
}
/** Intents: a notice would be a problem of its own. */
const intent = (n: number): NewLink => ({ ...newLink(n), kind: 'intent' })

async function addTen(chain: Chain): Promise<void> {
  for (let n = 1; n <= 10; n += 1) await chain.append(intent(n))
}

beforeAll(async () => {
  original = await mkdtemp(join(tmpdir(), 'kre-audit-'))
  await using store = await openSqliteStore({ dataDir: original })
  await addTen(createChain({ audit: store.audit, key, now }))
})
afterAll(() => rm(original, { recursive: true, force: true }))

/** A copy of a log of ten links, changed behind the engine's back. */
async function tampered<T>(
  change: { chain?: string; control?: string },
  use: (audit: AuditStore, dataDir: string) => Promise<T>,
): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kre-audit-'))
  try {
    for (const name of ['audit.sqlite', 'kre.sqlite'])
      await copyFile(join(original, name), join(dataDir, name))
    execute(dataDir, 'audit.sqlite', change.chain)
    execute(dataDir, 'kre.sqlite', change.control)
    await using store = await openSqliteStore({ dataDir })
    return await use(store.audit, dataDir)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

function execute(dataDir: string, name: string, sql = ''): void {
  const database = new DatabaseSync(join(dataDir, name))
  database.exec(sql)
  database.close()
}

const verify = (audit: AuditStore, anchor: Anchor | null = null): Promise<ChainVerdict> =>
  verifyChain({ audit, key }, anchor)

const COPY = `SELECT %, kind, %, at, actor, type, runtime_id, version_id, key_id, prev_hash, hash, body FROM links`
const swap = (one: number, other: number): string =>
  `UPDATE links SET seq = 99 WHERE seq = ${one}; UPDATE links SET seq = ${one} WHERE seq = ${other};
   UPDATE links SET seq = ${other} WHERE seq = 99;`

describe('the check of the log', () => {
  test('finds nothing wrong with what the engine wrote', async () => {
    const verdict = await tampered({}, (audit) => verify(audit))
    expect(verdict).toMatchObject({ ok: true, links: 10, openIntents: 10, problems: [] })
    expect(verdict.head?.seq).toBe(10)
  })

  test.each([
    ['an edited body', `UPDATE links SET body = '{"n":0}' WHERE seq = 4`, 4],
    ['an edited actor', `UPDATE links SET actor = 'eve@kre.io' WHERE seq = 4`, 4],
    ['an edited time', `UPDATE links SET at = at + 1 WHERE seq = 1`, 1],
    ['an edited type', `UPDATE links SET type = 'LOGOUT' WHERE seq = 10`, 10],
    ['a runtime where there was none', `UPDATE links SET runtime_id = '' WHERE seq = 6`, 6],
    ['an outcome made of an intent', `UPDATE links SET kind = 'outcome' WHERE seq = 6`, 6],
    ['an edited hash', `UPDATE links SET hash = prev_hash WHERE seq = 7`, 7],
    ['another key', `UPDATE links SET key_id = '00000000' WHERE seq = 7`, 7],
    ['a deleted link', 'DELETE FROM links WHERE seq = 5', 5],
    ['deleted links', 'DELETE FROM links WHERE seq BETWEEN 3 AND 8', 3],
    [
      'a deleted link whose number was closed up',
      'DELETE FROM links WHERE seq = 5; UPDATE links SET seq = seq - 1 WHERE seq > 5',
      5,
    ],
    ['a missing beginning', 'DELETE FROM links WHERE seq <= 2', 1],
    ['two links swapped', swap(3, 8), 3],
    ['two neighbours swapped', swap(9, 10), 9],
    ['a cut end', 'DELETE FROM links WHERE seq > 7', 8],
    ['the last link gone', 'DELETE FROM links WHERE seq = 10', 10],
    ['everything gone', 'DELETE FROM links', 1],
    [
      'a link added at the end',
      `INSERT INTO links ${COPY.replace('%', '11').replace('%', '11')} WHERE seq = 10`,
      11,
    ],
    [
      'an old link written twice',
      `INSERT INTO links ${COPY.replace('%', '11').replace('%', '3')} WHERE seq = 3`,
      11,
    ],
    [
      'a link far beyond',
      `INSERT INTO links ${COPY.replace('%', '999').replace('%', '999')} WHERE seq = 10`,
      11,
    ],
    [
      'a link before the first',
      `INSERT INTO links ${COPY.replace('%', '0').replace('%', '0')} WHERE seq = 1`,
      0,
    ],
  ])('names the first bad place: %s', async (_what, chain, seq) => {
    const verdict = await tampered({ chain }, (audit) => verify(audit))
    expect(verdict.problems[0]?.seq).toBe(seq)
    expect(verdict.ok).toBe(false)
  })

  test.each([
    ['gone', 'DELETE FROM audit_head'],
    ['edited', `UPDATE audit_head SET seq = 3`],
    ['made up', `UPDATE audit_head SET seq = 900, mac = hash`],
  ])('finds a head that is %s', async (_what, control) => {
    const verdict = await tampered({ control }, (audit) => verify(audit))
    expect(verdict).toMatchObject({ ok: false, problems: [{ seq: 10 }] })
  })

  test('says that the pepper was replaced, and not that the log was forged', async () => {
    const other = deriveChainKey(Buffer.alloc(32, 8))
    const verdict = await tampered({}, (audit) => verifyChain({ audit, key: other }))
    expect(verdict.problems[0]?.message).toContain('its pepper was replaced')
  })

  test('tells by an earlier head when chain and head were taken back together', async () => {
    const { head } = await tampered({}, (audit) => verify(audit))
    await tampered({}, async (audit, dataDir) => {
      await createChain({ audit, key, now }).append(intent(11))
      expect(await verify(audit, head)).toMatchObject({ ok: true })
      const later = (await verify(audit)).head
      for (const name of ['audit.sqlite', 'kre.sqlite'])
        for (const suffix of ['', '-wal', '-shm'])
          await rm(join(dataDir, name + suffix), { force: true })
      for (const name of ['audit.sqlite', 'kre.sqlite'])
        await copyFile(join(original, name), join(dataDir, name))
      await using taken = await openSqliteStore({ dataDir })
      expect(await verify(taken.audit)).toMatchObject({ ok: true, links: 10 })
      expect(await verify(taken.audit, later)).toMatchObject({
        ok: false,
        problems: [{ seq: 11, message: expect.stringContaining('cut, or written anew') }],
      })
    })
  })
})

describe('a log that goes on after it was tampered with', () => {
  test.each([
    ['a cut end', { chain: 'DELETE FROM links WHERE seq > 7' }, 8],
    ['an emptied log', { chain: 'DELETE FROM links' }, 1],
    ['a missing head', { control: 'DELETE FROM audit_head' }, 11],
    [
      'a cut end without its head',
      { chain: 'DELETE FROM links WHERE seq > 7', control: 'DELETE FROM audit_head' },
      8,
    ],
    ['a forged head', { control: `UPDATE audit_head SET seq = 3` }, 11],
    ["a head that can't be replaced", { control: `UPDATE audit_head SET seq = 900` }, 11],
    [
      'a last link of another origin',
      { chain: `UPDATE links SET hash = prev_hash WHERE seq = 10` },
      10,
    ],
  ])('keeps showing %s', async (_what, change, seq) => {
    await tampered(change, async (audit) => {
      const findings: unknown[] = []
      const chain = createChain({ audit, key, now, onFinding: (finding) => findings.push(finding) })
      await addTen(chain)
      expect(findings).toHaveLength(1)
      const verdict = await verify(audit)
      expect(verdict.problems[0]?.seq).toBe(seq)
      // Everything that was written since is there and genuine.
      const kinds = (await audit.read(1, 100)).slice(-11).map(({ kind }) => kind)
      expect(kinds).toEqual(['notice', ...Array<string>(10).fill('intent')])
    })
  })

  test('knows the links that this process wrote when chain and head are taken back while it runs', async () => {
    await tampered({}, async (audit, dataDir) => {
      const chain = createChain({ audit, key, now })
      await addTen(chain)
      execute(dataDir, 'audit.sqlite', 'DELETE FROM links WHERE seq > 15')
      execute(dataDir, 'kre.sqlite', 'DELETE FROM audit_head')
      await chain.append(intent(21))
      const verdict = await verify(audit)
      expect(verdict.problems[0]).toMatchObject({ seq: 16, message: 'links 16 to 20 are missing' })
    })
  })
})

test('engines that write to one store at once make one chain', async () => {
  await tampered({}, async (audit, dataDir) => {
    await using other = await openSqliteStore({ dataDir })
    await using third = await openSqliteStore({ dataDir })
    const chains = [audit, other.audit, third.audit].map((store) =>
      createChain({ audit: interrupted(store), key, now }),
    )
    await Promise.all(chains.map(addTen))
    expect(await verify(audit)).toMatchObject({ ok: true, links: 40, problems: [] })
  })
})

/** A store that is as far away as a database on a network: others come between reading and writing. */
function interrupted(audit: AuditStore): AuditStore {
  const pause = () => new Promise((resolve) => setImmediate(resolve))
  return {
    ...audit,
    async newest() {
      const newest = await audit.newest()
      await pause()
      return newest
    },
  }
}
