import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { createKeyedLock } from './keyed-lock.ts'
import { createSharedLock } from './shared-lock.ts'
import { createSlots } from '@kre/service-kit'

describe('a keyed lock', () => {
  test('runs work of one key in order, also after a failure, and other keys beside it', async () => {
    const lock = createKeyedLock()
    const steps: string[] = []
    const work =
      (name: string, fails = false) =>
      async () => {
        steps.push(`${name} begins`)
        await turn()
        steps.push(`${name} ends`)
        if (fails) throw new Error(name)
        return name
      }
    const results = await Promise.allSettled([
      lock('a', work('1', true)),
      lock('a', work('2')),
      lock('b', work('3')),
    ])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(steps.indexOf('2 begins')).toBeGreaterThan(steps.indexOf('1 ends'))
    expect(steps.indexOf('3 begins')).toBeLessThan(steps.indexOf('1 ends'))
  })
})

describe('slots', () => {
  const { signal } = new AbortController()

  test('are handed on in order and never beyond their number', async () => {
    const take = createSlots(2)
    const first = await take(signal)
    await take(signal)
    const order: number[] = []
    const waiting = [1, 2].map(async (i) => {
      const release = await take(signal)
      order.push(i)
      release()
    })
    await turn()
    expect(order).toEqual([])
    first()
    first()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2])
  })

  test('are not kept for who has left', async () => {
    const take = createSlots(1)
    const release = await take(signal)
    const leaving = new AbortController()
    const left = take(leaving.signal)
    leaving.abort()
    await expect(left).rejects.toMatchObject({ code: 'cancelled' })
    await expect(take(leaving.signal)).rejects.toMatchObject({ code: 'cancelled' })
    release()
    expect(await take(signal)).toBeInstanceOf(Function)
  })
})

describe('a lock that counts between engines', () => {
  test('keeps others away during the work alone, also when that fails', async () => {
    const steps: string[] = []
    const acquire = async (name: string) => {
      steps.push(`take ${name}`)
      return async () => void steps.push(`give ${name}`)
    }
    const lock = createSharedLock(createKeyedLock(), acquire)
    const work = (name: string) => async () => {
      steps.push(name)
      await turn()
      if (name === 'fails') throw new Error(name)
    }
    await Promise.allSettled([lock('a', work('fails')), lock('a', work('works'))])
    expect(steps).toEqual(['take a', 'fails', 'give a', 'take a', 'works', 'give a'])
  })

  test('lets nothing happen when it can not be taken', async () => {
    const lock = createSharedLock(createKeyedLock(), async () => {
      throw new Error('the store is away')
    })
    let worked = false
    await expect(lock('a', async () => (worked = true))).rejects.toThrow('away')
    expect(worked).toBe(false)
  })
})
