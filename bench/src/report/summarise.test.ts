import { describe, expect, test } from '@jest/globals'
import { barChart } from './bar-chart.ts'
import { alignRows, sampleRows, summarise, type Sample } from './summarise.ts'

const sample = (cpuMicrosPerRequest: number, failed = 0): Sample => ({
  requestsPerSecond: 1_000,
  p50Ms: 0.5,
  p99Ms: 2,
  cpuMicrosPerRequest,
  failed,
})
const samples = new Map([
  ['floor', [sample(40), sample(44), sample(42)]],
  ['chain<1>', [sample(100, 1), sample(90), sample(120, 2)]],
])

describe('summarise', () => {
  test('gives medians, ranges, ratios and the sum of what failed', () => {
    const report = summarise('chains', samples, {
      ratios: (cpuOf) => ({ chain: cpuOf('chain<1>') / cpuOf('floor') }),
    })
    expect(report).toMatchObject({ suite: 'chains', rounds: 3, failed: 3 })
    expect(report.cases[1]).toEqual({
      name: 'chain<1>',
      requestsPerSecond: 1_000,
      p50Ms: 0.5,
      p99Ms: 2,
      cpuMicrosPerRequest: 100,
    })
    expect(report.spreads['chain<1>']?.cpuMicrosPerRequest).toEqual([90, 120])
    expect(report.ratios['chain']).toBeCloseTo(100 / 42)
  })

  test('has its rows aligned for a terminal', () => {
    const [header = '', floor = ''] = alignRows(sampleRows(samples))
    expect(floor.indexOf('42.0 (40.0-44.0)')).toBe(header.indexOf('CPU us/request'))
  })
})

describe('barChart', () => {
  test('draws a bar and a range for each case and measure, and escapes names', () => {
    const svg = barChart(summarise('chains', samples))
    expect(svg.match(/<rect /g)).toHaveLength(6)
    expect(svg.match(/<line /g)).toHaveLength(6)
    expect(svg).toContain('chain&lt;1>')
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  })
})
