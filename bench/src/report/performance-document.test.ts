import { describe, expect, test } from '@jest/globals'
import { recordInDocument } from './performance-document.ts'
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
  figures: { hopCpuMicros: 27 },
  notes: ['measured on a quiet computer'],
})

describe('recordInDocument', () => {
  const before = 'words\n\n<!-- hop -->\nold\n<!-- /hop -->\n\nmore words\n'

  test('replaces what an earlier run has left, and nothing else', () => {
    const after = recordInDocument(before, report)
    expect(after).toMatch(/^words\n\n<!-- hop -->\n\nMedian/)
    expect(after).toMatch(/\n<!-- \/hop -->\n\nmore words\n$/)
    expect(after).not.toContain('old')
    expect(after).toContain('| floor | 1000 (1000-1000) | 40.0 (40.0-40.0) | 0.63 (0.50-0.75) |')
    expect(after).toContain('| hopCpuVsFloor | 0.90 |')
    expect(after).toContain('- measured on a quiet computer')
    expect(recordInDocument(after, report)).toBe(after)
  })

  test('refuses a document without a place for the suite', () => {
    expect(() => recordInDocument('words', report)).toThrow('no place for suite "hop"')
  })
})
