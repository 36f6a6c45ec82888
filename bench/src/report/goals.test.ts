import { describe, expect, test } from '@jest/globals'
import type { BenchReport } from './bench-report.ts'
import { boundText, GOALS, judge, verdict } from './goals.ts'

function report(suite: string, more: Partial<BenchReport>): BenchReport {
  const empty = { rounds: 1, cases: [], ratios: {}, failed: 0, spreads: {}, figures: {}, notes: [] }
  return { suite, ...empty, ...more }
}
const rate = (name: string, requestsPerSecond: number) => ({
  name,
  requestsPerSecond,
  p50Ms: 1,
  p99Ms: 3,
  cpuMicrosPerRequest: 100,
})
const said = (found: BenchReport) =>
  Object.fromEntries(judge(found).map((one) => [one.goal.metric, verdict(one)]))

describe('judge', () => {
  test('takes a goal for met up to its bound and no further', () => {
    const hop = (hopP50Ms: number) => report('hop', { figures: { hopP50Ms, hopCpuMicros: 30.1 } })
    expect(said(hop(0.25))).toEqual({ hopP50Ms: 'met', hopCpuMicros: 'missed' })
    expect(said(hop(0.251))['hopP50Ms']).toBe('missed')
  })

  test('finds ratios, figures and measures of cases, with dots in their names', () => {
    const load = report('load', {
      cases: [rate('inFlight64', 8_000), rate('inFlight128', 9_999)],
      ratios: { halfLoadP99VsP50: 2 },
    })
    expect(said(load)).toEqual({
      'inFlight64.requestsPerSecond': 'met',
      'inFlight128.requestsPerSecond': 'missed',
      halfLoadP99VsP50: 'met',
    })
    const memory = report('memory', { figures: { 'n1.idleMiB': 57.3 } })
    expect(said(memory)['n1.idleMiB']).toBe('missed')
  })

  test('says that a peer which could not be started was not measured', () => {
    const peers = report('peers', { ratios: { 'chain3RateVs_ray-serve': 61 } })
    expect(said(peers)).toMatchObject({
      'chain3RateVs_ray-serve': 'met',
      chain3RateVs_moleculer: 'not measured',
    })
    const unread = JSON.parse('{"chain3CpuVsFloor": null}') as Record<string, number>
    expect(said(report('chains', { ratios: unread }))['chain3CpuVsFloor']).toBe('not measured')
  })

  test('has nothing to say about a suite without goals', () => {
    expect(judge(report('cores', { ratios: { chain3CpuVsFloor: 9 } }))).toEqual([])
  })
})

describe('GOALS', () => {
  test('name each metric of a suite once, with a bound in words', () => {
    const names = GOALS.map(({ suite, metric }) => `${suite} ${metric}`)
    expect(new Set(names).size).toBe(names.length)
    expect(GOALS.slice(0, 1).map(boundText)).toEqual(['at most 3.00'])
    expect(GOALS.filter(({ suite }) => suite === 'batch').map(boundText)).toEqual(['at least 3.70'])
  })
})
