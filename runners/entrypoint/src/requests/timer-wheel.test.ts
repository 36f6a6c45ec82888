import { describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { createTimerWheel, createWheelTimer } from './timer-wheel.ts'

/** Stands still until the test lets time pass: how long the computer takes changes nothing. */
function createClock() {
  let ms = 0
  return {
    now: () => ms,
    pass(by: number): true {
      ms += by
      return true
    },
  }
}

describe('the timer wheel', () => {
  test('fires in order, never early, and each timer once', async () => {
    const wheel = createTimerWheel()
    const fired: number[] = []
    const start = performance.now()
    for (const delay of [40, 5, 20]) {
      wheel.schedule(
        createWheelTimer(() => {
          expect(performance.now() - start).toBeGreaterThanOrEqual(delay)
          fired.push(delay)
        }),
        delay,
      )
    }
    await waitUntil('all fired', () => fired.length === 3)
    expect(fired).toEqual([5, 20, 40])
    wheel.stop()
  })

  test('fires what is scheduled for now or earlier while it fires others', async () => {
    const clock = createClock()
    const wheel = createTimerWheel(clock.now)
    const fired: string[] = []
    for (const delayMs of [0, -50])
      wheel.schedule(
        createWheelTimer(() => {
          fired.push('first')
          wheel.schedule(
            createWheelTimer(() => fired.push('second')),
            delayMs,
          )
        }),
        100,
      )
    clock.pass(100)
    await waitUntil('the first ones', () => fired.length >= 2)
    clock.pass(10)
    await waitUntil('those that they have scheduled', () => fired.length === 4)
    wheel.stop()
    expect(fired).toEqual(['first', 'first', 'second', 'second'])
  })

  test('does not fire what was cancelled, and moves what is scheduled again', async () => {
    const wheel = createTimerWheel()
    const fired: string[] = []
    const cancelled = createWheelTimer(() => fired.push('cancelled'))
    const moved = createWheelTimer(() => fired.push('moved'))
    const last = createWheelTimer(() => fired.push('last'))
    wheel.schedule(cancelled, 5)
    wheel.schedule(moved, 5)
    wheel.schedule(last, 30)
    wheel.schedule(moved, 60)
    wheel.cancel(cancelled)
    wheel.cancel(cancelled)
    await waitUntil('last', () => fired.includes('moved'))
    expect(fired).toEqual(['last', 'moved'])
    wheel.stop()
  })

  test('keeps timers that are further away than one turn of the wheel', async () => {
    const clock = createClock()
    const wheel = createTimerWheel(clock.now)
    const fired: number[] = []
    for (const delay of [25_000, 10_000, 45_000])
      wheel.schedule(
        createWheelTimer(() => fired.push(delay)),
        delay,
      )
    await waitUntil('all fired', () => clock.pass(1_000) && fired.length === 3)
    expect(fired).toEqual([10_000, 25_000, 45_000])
    wheel.stop()
  })

  test('lets a firing timer cancel a neighbour and schedule itself', async () => {
    const clock = createClock()
    const wheel = createTimerWheel(clock.now)
    const fired: string[] = []
    let rounds = 0
    const victim = createWheelTimer(() => fired.push('victim'))
    const again = createWheelTimer(() => {
      wheel.cancel(victim)
      fired.push('again')
      if (++rounds < 3) wheel.schedule(again, 1)
    })
    wheel.schedule(victim, 5)
    wheel.schedule(again, 5)
    await waitUntil('three rounds', () => clock.pass(10) && rounds === 3)
    expect(fired).toEqual(['again', 'again', 'again'])
    wheel.stop()
  })
})
