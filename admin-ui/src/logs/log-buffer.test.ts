import { describe, expect, test } from '@jest/globals'
import type { LogLine } from '../gen/documents.ts'
import { createLogBuffer } from './log-buffer.ts'
import { visibleRows } from './visible-rows.ts'

const line = (n: number): LogLine => ({
  id: `l${n}`,
  date: new Date(n * 1000).toISOString(),
  nodeId: 'wf.a',
  nodeName: 'a',
  workflowName: 'wf',
  message: `line ${n}`,
  level: 'INFO',
  requestId: null,
})
const ids = (buffer: ReturnType<typeof createLogBuffer>) => buffer.lines().map(({ id }) => id)

describe('a log buffer', () => {
  test('joins pages and live lines, each line once', () => {
    const buffer = createLogBuffer()
    buffer.append([line(5), line(6)])
    expect(buffer.prepend([line(5), line(4), line(3)])).toBe(2)
    buffer.append([line(6), line(7)])
    expect(ids(buffer)).toEqual(['l3', 'l4', 'l5', 'l6', 'l7'])
  })

  test('puts a late line where it belongs', () => {
    const buffer = createLogBuffer()
    buffer.append([line(1), line(4)])
    buffer.append([line(3), line(5)])
    expect(ids(buffer)).toEqual(['l1', 'l3', 'l4', 'l5'])
  })

  test('lets the oldest go beyond its bound, and takes them again', () => {
    const buffer = createLogBuffer(3)
    buffer.append([line(1), line(2), line(3)])
    expect(buffer.append([line(4), line(5)])).toBe(2)
    expect(ids(buffer)).toEqual(['l3', 'l4', 'l5'])
    expect(buffer.prepend([line(2)])).toBe(0)
    buffer.clear()
    expect(buffer.append([line(1)])).toBe(0)
    expect(ids(buffer)).toEqual(['l1'])
  })

  test('takes 100,000 lines in batches without going slow', () => {
    const buffer = createLogBuffer()
    for (let from = 0; from < 100_000; from += 1_000)
      buffer.append(Array.from({ length: 1_000 }, (_, i) => line(from + i)))
    expect(buffer.lines()).toHaveLength(100_000)
  })
})

describe('visibleRows', () => {
  const rows = { rowPx: 20, overscan: 2 }

  test.each([
    [0, 100, 1000, { from: 0, to: 7 }],
    [1000, 100, 1000, { from: 48, to: 57 }],
    [19_950, 100, 1000, { from: 995, to: 1000 }],
    [5_000, 100, 10, { from: 8, to: 10 }],
    [0, 100, 0, { from: 0, to: 0 }],
  ])('at %d of %d px with %d rows are %j', (scrollTop, heightPx, count, expected) => {
    expect(visibleRows({ ...rows, scrollTop, heightPx, count })).toEqual(expected)
  })
})
