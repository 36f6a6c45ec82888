import { describe, expect, test } from '@jest/globals'
import { planRounds } from './plan-rounds.ts'

const usual = { isQuick: false, rounds: null, hasAlone: true }
const seconds = (cases: number, plan: ReturnType<typeof planRounds>) =>
  cases *
  (plan.warmUpSeconds + plan.rounds * (plan.runInSeconds + plan.loadSeconds + plan.aloneSeconds))

describe('planRounds', () => {
  test.each([1, 3, 6, 10, 16])('keeps %i cases within the time of a suite', (cases) => {
    expect(seconds(cases, planRounds(cases, usual))).toBeLessThanOrEqual(130.001)
    const loaded = planRounds(cases, { ...usual, hasAlone: false })
    expect(seconds(cases, loaded)).toBeLessThanOrEqual(130.001)
    expect(loaded.aloneSeconds).toBe(0)
  })

  test('measures for no less than the clock of processor time can tell', () => {
    expect(planRounds(100, usual)).toMatchObject({ loadSeconds: 0.5, warmUpSeconds: 1 })
  })

  test('takes longer, not shorter rounds when more of them are asked for', () => {
    const more = planRounds(6, { ...usual, rounds: 10 })
    expect(more).toEqual({ ...planRounds(6, usual), rounds: 10 })
  })

  test('is over soon when it is quick', () => {
    const quick = planRounds(6, { ...usual, isQuick: true })
    expect(quick.rounds).toBe(2)
    expect(seconds(6, quick)).toBeLessThan(25)
  })
})
