import { describe, expect, test } from '@jest/globals'
import { judgeHealth, NEW_HEALTH, type HealthFacts, type ReplicaHealth } from './replica-health.ts'

const limits = {
  tickMs: 1_000,
  startTimeoutMs: 60_000,
  readyTimeoutMs: 120_000,
  silenceMs: 15_000,
}
const fine: HealthFacts = {
  isReady: true,
  isAudible: true,
  usedBytes: 1,
  limitBytes: 10,
  stage: null,
}

function after(ticks: number, facts: HealthFacts, from: ReplicaHealth = NEW_HEALTH) {
  let verdict = judgeHealth(from, facts, limits)
  for (let tick = 1; tick < ticks; tick++) verdict = judgeHealth(verdict.health, facts, limits)
  return verdict
}

describe('judgeHealth', () => {
  const starting = { ...fine, isReady: false }
  const loading = { ...starting, stage: { stage: 'load', beat: 1, line: '' } } as const

  test('calls a start overdue when its time is over, and kills it much later', () => {
    expect(after(60, starting)).toMatchObject({ isOverdue: false, killFor: null })
    expect(after(61, starting)).toMatchObject({ isOverdue: true, killFor: null })
    expect(after(120, starting).killFor).toBeNull()
    expect(after(121, starting).killFor).toEqual({
      kind: 'never-ready',
      afterMs: 120_000,
      stage: null,
    })
  })
  test('kills a start whose thread did not move all the time', () => {
    expect(after(61, loading).killFor).toBeNull()
    const cause = { kind: 'frozen', afterMs: 60_000, stage: loading.stage }
    expect(after(62, loading).killFor).toEqual(cause)
    const moved = { ...loading, stage: { ...loading.stage, beat: 2 } }
    expect(after(1, moved, after(61, loading).health).killFor).toBeNull()
  })
  test('never calls a start overdue that was ready once', () => {
    const wasReady = after(1, fine).health
    expect(after(100, starting, wasReady)).toMatchObject({ isOverdue: false, killFor: null })
  })
  test('never calls a process overdue that has become ready late, also while nothing can be heard', () => {
    const late = after(61, starting).health
    expect(after(1, { ...fine, isAudible: false }, late).isOverdue).toBe(false)
  })
  test('bears silence as long as the limit, to the second', () => {
    expect(after(15, fine).killFor).toBeNull()
    expect(after(16, fine).killFor).toEqual({ kind: 'silent', afterMs: 15_000 })
  })
  test('blames nobody for silence while nothing can be heard', () => {
    const deaf = { ...fine, isAudible: false }
    expect(after(100, deaf).killFor).toBeNull()
    expect(after(100, { ...deaf, isReady: false }).killFor).toBeNull()
    expect(after(15, fine, after(1, deaf, after(15, fine).health).health).killFor).toBeNull()
  })
  test('allows memory up to the limit, also of those that can not be heard', () => {
    expect(after(1, { ...fine, usedBytes: 10 }).killFor).toBeNull()
    expect(after(1, { ...fine, usedBytes: 11, isAudible: false }).killFor).toEqual({
      kind: 'memory',
      usedBytes: 11,
      limitBytes: 10,
    })
  })
  test('takes a process for proven after half a minute', () => {
    const heard = (seconds: number) => ({ ...NEW_HEALTH, readyMs: (seconds - 1) * 1_000 })
    expect(after(1, fine, heard(29)).isProven).toBe(false)
    expect(after(1, fine, heard(30)).isProven).toBe(true)
  })
})
