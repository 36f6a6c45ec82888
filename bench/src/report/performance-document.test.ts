import { describe, expect, test } from '@jest/globals'
import { goalsMarkdown, replaceSection, reportMarkdown } from './performance-document.ts'
import { reportLines } from './report-lines.ts'
import { summarise } from './summarise.ts'

const sample = {
  requestsPerSecond: 1_000,
  p50Ms: 0.5,
  p99Ms: 2,
  cpuMicrosPerRequest: 40,
  failed: 0,
}
const report = summarise('hop', new Map([['floor', [sample, { ...sample, p50Ms: 0.75 }]]]), {
  ratios: () => ({ hopCpuVsFloor: 0.9 }),
  figures: { hopCpuMicros: 27, hopP50Ms: 0.3 },
  notes: ['measured on a quiet computer'],
})

describe('replaceSection', () => {
  const before = 'words\n\n<!-- hop -->\nold\n<!-- /hop -->\n\nmore words\n'

  test('replaces what an earlier run has left, and nothing else', () => {
    const after = replaceSection(before, 'hop', 'new')
    expect(after).toBe('words\n\n<!-- hop -->\n\nnew\n<!-- /hop -->\n\nmore words\n')
    expect(replaceSection(after, 'hop', 'new')).toBe(after)
  })

  test('refuses a document without a place for the suite', () => {
    expect(() => replaceSection('words', 'hop', '')).toThrow('no place for "hop"')
  })
})

describe('reportMarkdown', () => {
  test('has cases, ratios, figures, goals, notes and the chart', () => {
    const text = reportMarkdown(report)
    expect(text).toMatch(/^Median \(min-max\) of 2 rounds; latency: one request at a time\.\n/)
    expect(text).toContain('| floor | 1000 (1000-1000) | 40.0 (40.0-40.0) | 0.63 (0.50-0.75) |')
    expect(text).toContain('| hopCpuVsFloor | 0.90 |')
    expect(text).toContain('| one more node: CPU, us | at most 30.0 | 27.0 | met |')
    expect(text).toContain('| one more node: p50, ms | at most 0.25 | 0.30 | **missed** |')
    expect(text).toContain('- measured on a quiet computer')
    expect(text).toContain('](performance/hop.svg)')
  })

  test('says where and when, and hides no wrong answers', () => {
    const computer = {
      processors: '2 x Fast',
      memoryGiB: 24,
      node: 'v24.1.0',
      loadBefore: 0.1,
      measuredAt: '2026-01-02T03:04:05.000Z',
    }
    const [first = ''] = reportMarkdown({ ...report, failed: 3, computer }).split('\n')
    expect(first).toContain(
      '2026-01-02, 2 x Fast, 24 GiB, Node.js v24.1.0, load average before 0.10',
    )
    expect(first).toContain('**3 calls had no right answer**')
  })
})

describe('goalsMarkdown', () => {
  test('counts what is met, and what nobody has measured', () => {
    const text = goalsMarkdown([report])
    expect(text).toMatch(/^1 of \d+ goals are met, 1 are missed, \d+ are not measured/)
    expect(text).toContain(
      '| three nodes: CPU against a bare echo | at most 3.00 | - | not measured |',
    )
  })
})

describe('reportLines', () => {
  test('put the goal and whether it is met beside each figure', () => {
    const lines = reportLines(report)
    expect(lines).toContain('hopCpuVsFloor  0.90')
    expect(lines).toContain('hopCpuMicros   27.0  goal at most 30.0  met')
    expect(lines).toContain('hopP50Ms       0.30  goal at most 0.25  missed')
    expect(lines.at(-1)).toBe('1 of 2 goals are met')
  })

  test('tell the goals of cases after the ratios', () => {
    const chains = summarise('chains', new Map([['chain3', [sample]]]))
    expect(reportLines(chains)).toContain('chain3.p50Ms      0.50  goal at most 1.00  met')
  })
})
