import { describe, expect, test } from '@jest/globals'
import type { BenchReport } from './bench-report.ts'
import { compareReports } from './compare.ts'

function report(cpu: Record<string, number>, suite = 'chains'): BenchReport {
  const cases = Object.entries(cpu).map(([name, cpuMicrosPerRequest]) => ({
    name,
    cpuMicrosPerRequest,
    requestsPerSecond: 1,
    p50Ms: 1,
    p99Ms: 1,
  }))
  return { suite, rounds: 1, cases, ratios: {}, failed: 0, spreads: {}, figures: {}, notes: [] }
}

describe('compareReports', () => {
  test('names the cases that are more than 15 % worse', () => {
    const before = report({ floor: 40, chain1: 100, chain3: 200 })
    const after = report({ floor: 40, chain1: 115, chain3: 231 })
    const { worse, rows } = compareReports(before, after)
    expect(worse).toEqual(['chain3'])
    expect(rows.at(-1)).toEqual(['chain3', '200.0', '231.0', '+15.5 %'])
  })

  test('takes what the floor has lost as the fault of the computer', () => {
    const before = report({ floor: 40, chain1: 100 })
    expect(compareReports(before, report({ floor: 60, chain1: 160 })).worse).toEqual([])
    expect(compareReports(before, report({ floor: 30, chain1: 100 })).worse).toEqual(['chain1'])
  })

  test('leaves out cases that only one run has', () => {
    const { rows, worse } = compareReports(
      report({ floor: 40 }),
      report({ floor: 40, chain9: 1e6 }),
    )
    expect(worse).toEqual([])
    expect(rows.map(([name]) => name)).toEqual(['case', 'floor'])
  })

  test('refuses reports that have nothing to compare', () => {
    const chains = report({ floor: 40 })
    expect(() => compareReports(report({ floor: 40 }, 'hop'), chains)).toThrow(
      'the earlier run is of suite "hop", this one of "chains"',
    )
    expect(() => compareReports(report({ chain1: 1 }), chains)).toThrow('no case "floor"')
  })
})
