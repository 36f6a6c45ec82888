import { describe, expect, test } from '@jest/globals'
import { createLogBuffer } from './log-buffer.ts'
import { visibleRows } from './visible-rows.ts'
import { logLine } from './testing/log-line.ts'

const ids = (buffer: ReturnType<typeof createLogBuffer>) => buffer.lines().map(({ id }) => id)

describe('a log buffer', () => {
  test('joins pages and live lines, each line once', () => {
    const buffer = createLogBuffer()
    buffer.append([logLine(5), logLine(6)])
    expect(buffer.prepend([logLine(5), logLine(4), logLine(3)])).toBe(2)
    buffer.append([logLine(6), logLine(7)])
    expect(ids(buffer)).toEqual(['l3', 'l4', 'l5', 'l6', 'l7'])
  })

  test('puts a late line where it belongs', () => {
    const buffer = createLogBuffer()
    buffer.append([logLine(1), logLine(4)])
    buffer.append([logLine(3), logLine(5)])
    expect(ids(buffer)).toEqual(['l1', 'l3', 'l4', 'l5'])
  })

  test('lets the oldest go beyond its bound, and takes them again', () => {
    const buffer = createLogBuffer(3)
    buffer.append([logLine(1), logLine(2), logLine(3)])
    expect(buffer.append([logLine(4), logLine(5)])).toBe(2)
    expect(ids(buffer)).toEqual(['l3', 'l4', 'l5'])
    expect(buffer.prepend([logLine(2)])).toBe(0)
    buffer.clear()
    expect(buffer.append([logLine(1)])).toBe(0)
    expect(ids(buffer)).toEqual(['l1'])
  })

  test('takes 100,000 lines in batches without going slow', () => {
    const buffer = createLogBuffer()
    for (let from = 0; from < 100_000; from += 1_000)
      buffer.append(Array.from({ length: 1_000 }, (_, i) => logLine(from + i)))
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
