import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createLogger } from '@kre/service-kit'
import { openSqliteStore, type Lease, type Store } from '@kre/store'
import { createAcquireShared } from './acquire-shared.ts'
import { keepLease } from './keep-lease.ts'
import { createLeaseWatch, LEASE_MS, MARGIN_MS, RENEW_MS } from './lease-watch.ts'
import { ENGINE_LEASE, LeaseHeld, takeLease } from './take-lease.ts'

const logger = createLogger('test', { level: 'silent' })

let dir: string
let store: Store
/** The holder whose process has not ended. */
let living = ''
/** The one clock of a test, in ms. */
let clock = 0
const now = () => clock
beforeEach(async () => {
  clock = 1_000
  living = ''
  dir = await mkdtemp(join(tmpdir(), 'kre-leases-'))
  store = await openSqliteStore({ dataDir: dir })
})
afterEach(async () => {
  jest.useRealTimers()
  await store[Symbol.asyncDispose]()
  await rm(dir, { recursive: true, force: true })
})

const HERE = { holder: 'here', place: 'folder', absenceMs: 60_000 }
const THERE = { holder: 'there', place: 'other', absenceMs: 60_000 }
/** For takings: waiting passes by the test's clock, and `meanwhile` happens. */
function taking(meanwhile: () => Promise<unknown> = async () => undefined) {
  const said: string[] = []
  return {
    said,
    leases: store.leases,
    now,
    isGone: async (holder: string) => holder !== living,
    say: (text: string) => void said.push(text),
    async pause(ms: number) {
      clock += ms
      await meanwhile()
    },
  }
}

async function takeNew(claim = HERE): Promise<Lease & { holder: string }> {
  return (await takeLease(taking(), claim)).lease
}

describe('createLeaseWatch', () => {
  const lease = (token: number, beat: number): Lease => ({
    name: 'engine',
    holder: 'a',
    place: null,
    token,
    beat,
  })

  test('counts only while nothing changes', () => {
    const watch = createLeaseWatch(now)
    const look = (found: Lease | null) => {
      clock += 1_000
      return watch(found)
    }
    expect([look(lease(1, 1)), look(lease(1, 1)), look(lease(1, 1))]).toEqual([0, 1_000, 2_000])
    expect([look(lease(1, 2)), look(lease(1, 2))]).toEqual([0, 1_000])
    expect([look(lease(2, 2)), look(null), look(null), look(lease(2, 2))]).toEqual([0, 0, 0, 0])
  })

  test('takes a computer that stood still for no proof that the holder is gone', () => {
    const watch = createLeaseWatch(now)
    watch(lease(1, 1))
    clock += 3_600_000
    expect(watch(lease(1, 1))).toBeLessThan(LEASE_MS)
  })
})

describe('keepLease', () => {
  /** Lets the store's promises and `ms` of timers pass. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 500) {
      clock += 500
      await jest.advanceTimersByTimeAsync(500)
    }
  }

  test('holds for as long as renewals succeed, and gives back', async () => {
    const lease = await takeNew()
    jest.useFakeTimers()
    const kept = keepLease({ leases: store.leases, logger, now }, lease, now(), () => {
      throw new Error('lost')
    })
    await pass(3 * LEASE_MS)
    expect(() => kept.assertHeld()).not.toThrow()
    await kept.release('folder')
    expect(() => kept.assertHeld()).toThrow('is over')
    expect(await store.leases.read(ENGINE_LEASE)).toMatchObject({ holder: null, place: 'folder' })
  })

  test('is unsure before others can take it, and sure again when the store answers again', async () => {
    const lease = await takeNew()
    jest.useFakeTimers()
    let isAway = true
    const leases: Pick<typeof store.leases, 'renew' | 'release'> = {
      ...store.leases,
      async renew(held) {
        if (isAway) throw new Error('the store is away')
        return store.leases.renew(held)
      },
    }
    const kept = keepLease({ leases, logger, now }, lease, now(), () => {
      throw new Error('lost')
    })
    await pass(LEASE_MS - MARGIN_MS - 500)
    expect(() => kept.assertHeld()).not.toThrow()
    await pass(500)
    expect(() => kept.assertHeld()).toThrow(expect.objectContaining({ code: 'unavailable' }))
    isAway = false
    await pass(RENEW_MS + 500)
    expect(() => kept.assertHeld()).not.toThrow()
    await kept.release(null)
  })

  test('is lost, once, when somebody else has it', async () => {
    const lease = await takeNew()
    jest.useFakeTimers()
    let lost = 0
    const kept = keepLease({ leases: store.leases, logger, now }, lease, now(), () => (lost += 1))
    const next = await takeNew({ ...HERE, holder: 'next' })
    await pass(3 * RENEW_MS)
    expect(lost).toBe(1)
    expect(() => kept.assertHeld()).toThrow(expect.objectContaining({ code: 'aborted' }))
    await kept.release(null)
    expect(await store.leases.read(ENGINE_LEASE)).toMatchObject({
      holder: 'next',
      token: next.token,
    })
  })
})

describe('takeLease', () => {
  test('waits for an engine of another computer until it gives the lease back', async () => {
    const other = await takeNew({ ...HERE, holder: 'engine kre-0' })
    living = 'engine kre-0'
    let looks = 0
    const deps = taking(async () => {
      // It renews its lease all the time, and ends after half a minute.
      await store.leases.renew(other)
      if (++looks === 60) await store.leases.release(other, HERE.place)
    })
    const { lease } = await takeLease(deps, { ...HERE, waits: true })
    expect(lease.token).toBeGreaterThan(other.token)
    expect(looks).toBe(60)
  })

  test('takes over from an engine of another computer that has been silent for a lease', async () => {
    await takeNew({ ...HERE, holder: 'engine kre-0' })
    living = 'engine kre-0'
    const began = clock
    const { lease } = await takeLease(taking(), { ...HERE, waits: true })
    expect(lease.holder).toBe('here')
    expect(clock - began).toBeGreaterThanOrEqual(LEASE_MS)
    // What it runs is on the cluster, where both of them see it: nobody has to wait until it has ended.
    expect(clock - began).toBeLessThan(LEASE_MS + HERE.absenceMs)
  })

  test('says at once who has it to those who do not wait', async () => {
    await takeNew({ ...HERE, holder: 'engine kre-0' })
    living = 'engine kre-0'
    await expect(takeLease(taking(), HERE)).rejects.toBeInstanceOf(LeaseHeld)
  })

  test('takes the lease of an engine of the same folder at once, with the next token', async () => {
    expect((await takeNew()).token).toBe(1)
    expect((await takeNew({ ...HERE, holder: 'next' })).token).toBe(2)
  })

  test('takes no lease of an engine of the same folder that lives without its lock', async () => {
    await takeNew()
    living = HERE.holder
    await expect(takeNew({ ...HERE, holder: 'next' })).rejects.toMatchObject({
      message: expect.stringContaining('somebody removed its lock'),
    })
  })

  test('takes no lease of an engine of another folder that lives', async () => {
    const held = await takeNew()
    const deps = taking(() => store.leases.renew(held))
    await expect(takeLease(deps, THERE)).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('another data folder'),
    })
  })

  test('waits until nothing of another folder can run any more', async () => {
    await takeNew()
    const began = clock
    const deps = taking()
    expect((await takeLease(deps, THERE)).lease).toMatchObject({ token: 2, place: 'other' })
    expect(clock - began).toBeGreaterThanOrEqual(LEASE_MS + HERE.absenceMs)
    expect(deps.said).toEqual([expect.stringContaining('waiting 75 s')])
  })

  test('takes at once what was given back with nothing running', async () => {
    const lease = await takeNew()
    await store.leases.release(lease, null)
    const { lease: next } = await takeLease(taking(), THERE)
    expect(next.token).toBe(2)
  })
})

describe('createAcquireShared', () => {
  const engine = (holder: string, isGone: (other: string) => boolean = () => false) =>
    createAcquireShared({
      leases: store.leases,
      holder,
      isGone: async (other) => isGone(other),
      logger,
      now: () => performance.now(),
    })

  test('lets one engine in at a time, and leaves nothing behind', async () => {
    const engines = ['a', 'b', 'c'].map((holder) => engine(holder))
    let inside = 0
    let most = 0
    await Promise.all(
      [0, 1, 2, 0, 1, 2].map(async (index) => {
        const release = await engines[index]?.('runtime/demo')
        most = Math.max(most, (inside += 1))
        await new Promise((resolve) => setTimeout(resolve, 5))
        inside -= 1
        await release?.()
      }),
    )
    expect(most).toBe(1)
    expect(await store.leases.read('runtime/demo')).toBeNull()
  })

  test('tells who waits, and keeps different names apart', async () => {
    const release = await engine('a')('one')
    await (
      await engine('b')('two')
    )()
    let busy = 0
    const waiting = engine('b')('one', () => {
      busy += 1
      void release()
    })
    await (
      await waiting
    )()
    expect(busy).toBe(1)
  })

  test('takes over from an engine that died with it', async () => {
    await store.leases.take({ name: 'one', holder: 'dead', place: null }, null)
    await (
      await engine('a', (other) => other === 'dead')('one')
    )()
    expect(await store.leases.read('one')).toBeNull()
  })
})
