import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SECOND_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import {
  BURST_MAX,
  createRunLimits,
  RATE_PER_SECOND,
  RUNNING_MAX,
  withinTime,
} from './run-limits.ts'

const { signal } = new AbortController()

describe('operations of one caller', () => {
  test('run 8 at once, and wait then', async () => {
    const enter = createRunLimits()
    const leaving = await Promise.all(
      Array.from({ length: RUNNING_MAX }, () => enter('ada', signal)),
    )
    let hasTurn = false
    const next = enter('ada', signal).then((leave) => {
      hasTurn = true
      return leave
    })
    // Another caller has a row of its own.
    ;(await enter('eve', signal))()
    expect(hasTurn).toBe(false)
    leaving[0]?.()
    ;(await next)()
  })

  test('are refused when too many wait, and when they leave they are not counted', async () => {
    const enter = createRunLimits()
    const gone = new AbortController()
    for (let i = 0; i < RUNNING_MAX; i += 1) await enter('ada', signal)
    const waiting = Array.from({ length: 64 }, () => enter('ada', gone.signal))
    await expect(enter('ada', signal)).rejects.toMatchObject({ status: 429 })
    gone.abort()
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'cancelled' })
    const late = new AbortController()
    const next = enter('ada', late.signal)
    late.abort()
    await expect(next).rejects.toMatchObject({ code: 'cancelled' })
  })

  test('are as many in a burst, and as many in a second, as they may be', async () => {
    let nowMs = 0
    const enter = createRunLimits(() => nowMs)
    const burst = async () => {
      let count = 0
      for (;;) {
        try {
          ;(await enter('ada', signal))()
          count += 1
        } catch (error) {
          expect(error).toMatchObject({ status: 429, headers: { 'Retry-After': '1' } })
          return count
        }
      }
    }
    expect(await burst()).toBe(BURST_MAX)
    nowMs += SECOND_MS
    expect(await burst()).toBe(RATE_PER_SECOND)
  })
})

describe('an operation that takes too long', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi({ executionMs: 50 })
  })
  afterAll(() => api[Symbol.asyncDispose]())

  test('is given up with 504, and holds its place until it ends', async () => {
    const { runtimes } = api.store
    const real = runtimes.list.bind(runtimes)
    let end = (): void => undefined
    runtimes.list = () => new Promise((resolve) => (end = () => resolve([])))
    const answer = await api.graphql('{ runtimes { id } }')
    expect(answer).toMatchObject({ status: 504, code: 'timeout' })
    end()
    runtimes.list = real
    await waitUntil('an answer', async () => (await api.graphql('{ me { id } }')).status === 200)
  })

  test('hears of it by its signal', async () => {
    let isAborted = false
    const work = (given: AbortSignal) =>
      new Promise<void>((resolve) =>
        given.addEventListener('abort', () => {
          isAborted = true
          resolve()
        }),
      )
    await expect(withinTime(work, signal, 1)).rejects.toMatchObject({ status: 504 })
    expect(isAborted).toBe(true)
  })
})
