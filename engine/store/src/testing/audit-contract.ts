import { describe, expect, test } from '@jest/globals'
import type { AuditHead, AuditLink, AuditQuery } from '../ports/audit-store.ts'
import type { MakeStore } from './make-store.ts'

const AT = new Date('2026-02-03T04:05:06.789Z')
const later = (minutes: number) => new Date(AT.getTime() + minutes * 60_000)

/** The store checks no hashes, so any text will do. */
function link(seq: number, change: Partial<AuditLink> = {}): AuditLink {
  return {
    seq,
    kind: 'intent',
    intentSeq: seq,
    at: AT,
    actor: 'ada@kre.io',
    type: 'START_VERSION',
    runtimeId: 'demo',
    versionId: 'id-v1',
    body: JSON.stringify({ comment: 'with "quotes", ñ, \0 and \r\n' }),
    keyId: '0a1b2c3d',
    prevHash: 'p'.repeat(64),
    hash: `${seq}`.padStart(64, '0'),
    ...change,
  }
}

const outcome = (seq: number, intentSeq: number, change: Partial<AuditLink> = {}): AuditLink =>
  link(seq, { kind: 'outcome', intentSeq, ...change })

function headOf({ seq, hash }: AuditLink): AuditHead {
  return { seq, hash, mac: `mac of ${seq}` }
}

export function auditContract(makeStore: MakeStore): void {
  describe('the audit log', () => {
    test('begins empty', async () => {
      await using store = await makeStore()
      expect(await store.audit.newest()).toBeNull()
      expect(await store.audit.head()).toBeNull()
      expect(await store.audit.read(1, 10)).toEqual([])
      expect(await store.audit.outcomes({ limit: 10 })).toEqual([])
      expect(await store.audit.openIntents(10)).toEqual([])
    })

    test('keeps links as they were added, in their order, and the newest head', async () => {
      await using store = await makeStore()
      const links = [
        link(1),
        outcome(2, 1, { actor: '', runtimeId: null, versionId: null }),
        link(3, { kind: 'notice' }),
      ]
      for (const one of links) await store.audit.append(one, headOf(one))
      expect(await store.audit.read(1, 10)).toEqual(links)
      expect(await store.audit.read(2, 1)).toEqual([links[1]])
      expect(await store.audit.newest()).toEqual(links[2])
      expect(await store.audit.head()).toEqual({ seq: 3, hash: links[2]?.hash, mac: 'mac of 3' })
    })

    test('never takes the head back', async () => {
      await using store = await makeStore()
      const newest = headOf(link(2))
      await store.audit.append(link(1), newest)
      await store.audit.append(link(2), headOf(link(1)))
      expect(await store.audit.head()).toEqual(newest)
    })

    test('takes no link before the newest one, and lets a gap be', async () => {
      await using store = await makeStore()
      await store.audit.append(link(7), headOf(link(7)))
      for (const seq of [1, 6, 7])
        await expect(store.audit.append(link(seq), headOf(link(seq)))).rejects.toMatchObject({
          code: 'aborted',
        })
      await store.audit.append(link(9), headOf(link(9)))
      expect((await store.audit.read(1, 10)).map(({ seq }) => seq)).toEqual([7, 9])
    })

    test('of parallel writers of one link, exactly one wins', async () => {
      await using store = await makeStore()
      const results = await Promise.allSettled(
        ['a', 'b', 'c', 'd'].map((body) =>
          store.audit.append(link(1, { body: JSON.stringify(body) }), headOf(link(1))),
        ),
      )
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'aborted' })
    })

    test('has one outcome per intent', async () => {
      await using store = await makeStore()
      await store.audit.append(link(1), headOf(link(1)))
      await store.audit.append(outcome(2, 1), headOf(link(2)))
      await expect(store.audit.append(outcome(3, 1), headOf(link(3)))).rejects.toMatchObject({
        code: 'already-exists',
      })
      expect((await store.audit.newest())?.seq).toBe(2)
    })

    test('finds the intents that nobody closed', async () => {
      await using store = await makeStore()
      for (const one of [link(1), link(2), outcome(3, 2), link(4), link(5, { kind: 'notice' })])
        await store.audit.append(one, headOf(one))
      expect(await store.audit.openIntents(10)).toEqual([link(1), link(4)])
      expect(await store.audit.openIntents(1)).toEqual([link(1)])
    })

    test('gives up its beginning, and keeps what stood there last', async () => {
      await using store = await makeStore()
      const { audit } = store
      expect(await audit.anchor()).toBeNull()
      for (const one of [link(1), outcome(2, 1), link(3), outcome(4, 3), link(5)])
        await audit.append(one, headOf(one))
      expect(await audit.removeThrough(headOf(link(2)))).toBe(2)
      expect(await audit.anchor()).toEqual(headOf(link(2)))
      expect((await audit.read(1, 10)).map(({ seq }) => seq)).toEqual([3, 4, 5])
      // Cut off in between it is called again; what is behind it stays.
      expect(await audit.removeThrough(headOf(link(2)))).toBe(0)
      expect(await audit.removeThrough(headOf(link(4)))).toBe(2)
      // An older one, from an engine that was slow, takes nothing back.
      expect(await audit.removeThrough(headOf(link(3)))).toBe(0)
      expect(await audit.anchor()).toEqual(headOf(link(4)))
      expect((await audit.newest())?.seq).toBe(5)
      expect(await audit.head()).toEqual(headOf(link(5)))
      await audit.append(link(6), headOf(link(6)))
      expect((await audit.read(1, 10)).map(({ seq }) => seq)).toEqual([5, 6])
    })

    test('outlives the runtime it is about', async () => {
      await using store = await makeStore()
      await store.audit.append(outcome(1, 1), headOf(link(1)))
      await store.runtimes.remove('demo')
      expect(await store.audit.outcomes({ limit: 10 })).toEqual([outcome(1, 1)])
    })

    filterContract(makeStore)
  })
}

function filterContract(makeStore: MakeStore): void {
  const links = [
    link(1),
    outcome(2, 1),
    outcome(4, 3, {
      at: later(1),
      actor: 'eve@kre.io',
      type: 'LOGIN',
      runtimeId: null,
      versionId: null,
    }),
    outcome(6, 5, { at: later(2), type: 'STOP_VERSION', versionId: 'id-v2' }),
    outcome(8, 7, { at: later(3), runtimeId: 'other', versionId: 'id-other' }),
    link(9),
  ]
  const cases: [string, Omit<AuditQuery, 'limit'>, number[]][] = [
    ['all', {}, [8, 6, 4, 2]],
    ['the next page', { beforeSeq: 6 }, [4, 2]],
    ['an actor', { actor: 'eve@kre.io' }, [4]],
    ['nobody', { actor: '' }, []],
    ['types', { types: ['LOGIN', 'STOP_VERSION'] }, [6, 4]],
    ['no type', { types: [] }, []],
    ['a runtime', { runtimeIds: ['demo', 'gone'] }, [6, 2]],
    ['no runtime', { runtimeIds: [] }, []],
    ['versions', { versionIds: ['id-v2', 'id-other'] }, [8, 6]],
    ['a text that would be an operator', { actor: '$gt', versionIds: ['{"$gt":""}'] }, []],
    ['from a moment', { from: later(2) }, [8, 6]],
    ['up to a moment', { to: later(1) }, [4, 2]],
    [
      'everything at once',
      {
        actor: 'ada@kre.io',
        types: ['STOP_VERSION'],
        runtimeIds: ['demo'],
        versionIds: ['id-v2'],
        from: AT,
        to: later(9),
      },
      [6],
    ],
  ]

  test.each(cases)('lists outcomes by %s, newest first', async (_what, query, seqs) => {
    await using store = await makeStore()
    for (const one of links) await store.audit.append(one, headOf(one))
    const found = await store.audit.outcomes({ ...query, limit: 10 })
    expect(found.map(({ seq }) => seq)).toEqual(seqs)
    expect((await store.audit.outcomes({ ...query, limit: 1 })).map(({ seq }) => seq)).toEqual(
      seqs.slice(0, 1),
    )
  })
}
