import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from '@jest/globals'
import { openSqliteStore } from '../open-sqlite-store.ts'

/** A folder with an empty store, closed again, and its chain opened by hand. */
async function withChain(use: (chain: DatabaseSync, dataDir: string) => Promise<void> | void) {
  const dataDir = await mkdtemp(join(tmpdir(), 'kre-audit-'))
  await (await openSqliteStore({ dataDir }))[Symbol.asyncDispose]()
  const chain = new DatabaseSync(join(dataDir, 'audit.sqlite'))
  try {
    await use(chain, dataDir)
  } finally {
    chain.close()
    await rm(dataDir, { recursive: true, force: true })
  }
}

test('a filter without a hit reads an index and no record', async () => {
  await withChain((chain) => {
    const plan = chain
      .prepare(
        `EXPLAIN QUERY PLAN SELECT seq FROM links INDEXED BY links_for_lists
         WHERE kind = 'outcome' AND actor = 'a' AND at >= 1 AND type IN (SELECT value FROM json_each('[]'))
           AND runtime_id IN (SELECT value FROM json_each('[]'))
           AND version_id IN (SELECT value FROM json_each('[]')) ORDER BY seq DESC LIMIT 31`,
      )
      .all()
      .map((row) => String(row['detail']))
    expect(plan[0]).toBe('SCAN links USING COVERING INDEX links_for_lists')
    expect(plan.join()).not.toContain('TEMP B-TREE FOR ORDER BY')
  })
})

test('a chain that lost its head, or a head that lost its chain, is opened and told', async () => {
  await withChain(async (chain, dataDir) => {
    const link = {
      seq: 1,
      kind: 'intent' as const,
      intentSeq: 1,
      at: new Date(0),
      actor: '',
      type: 'LOGIN',
      runtimeId: null,
      versionId: null,
      body: '{}',
      keyId: '',
      prevHash: '',
      hash: 'h',
    }
    {
      await using store = await openSqliteStore({ dataDir })
      await store.audit.append(link, { seq: 1, hash: 'h', mac: 'm' })
    }
    chain.exec('DELETE FROM links')
    await using store = await openSqliteStore({ dataDir })
    expect(await store.audit.newest()).toBeNull()
    expect(await store.audit.head()).toEqual({ seq: 1, hash: 'h', mac: 'm' })
  })
})
