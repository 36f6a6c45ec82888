import { describe, expect, jest, test } from '@jest/globals'
import { ApiError } from '../api/api-error.ts'
import type { LogLine } from '../gen/documents.ts'
import { createLogFeed, type LogPage, type LogSource } from './log-feed.ts'
import { logLine } from './testing/log-line.ts'

/** Newest first. */
const lines = (from: number, to: number): LogLine[] =>
  Array.from({ length: from - to + 1 }, (_, index) => logLine(from - index))
type Sink = Parameters<NonNullable<LogSource['tail']>>[0]

/** A log whose pages are given, and whose live lines the test writes. */
function startFeed(pages: readonly (LogPage | ApiError)[], more: Partial<LogSource> = {}) {
  let next = 0
  let sink: Sink | null = null
  let isStopped = false
  const feed = createLogFeed({
    async page() {
      const page = pages[next++] ?? { cursor: null, items: [] }
      if (page instanceof ApiError) throw page
      return page
    },
    tail(given) {
      sink = given
      return () => {
        isStopped = true
      }
    },
    ...more,
  })
  return {
    feed,
    isStopped: () => isStopped,
    write: (one: LogLine, leftOut = 0) => sink?.next(one, leftOut),
    ids: () => feed.view().lines.map(({ id }) => id),
  }
}
const settle = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await Promise.resolve()
}

describe('a log feed', () => {
  test('begins with the newest lines, and goes back page by page', async () => {
    const { feed, ids } = startFeed([
      { cursor: 'c1', items: lines(6, 5) },
      { cursor: null, items: lines(4, 3) },
    ])
    expect(feed.view().isLoading).toBe(true)
    await settle()
    expect(ids()).toEqual(['l5', 'l6'])
    expect(feed.view()).toMatchObject({ isLoading: false, hasOlder: true, front: 2 })
    await Promise.all([feed.loadOlder(), feed.loadOlder()])
    expect(ids()).toEqual(['l3', 'l4', 'l5', 'l6'])
    expect(feed.view()).toMatchObject({ hasOlder: false, front: 4 })
    await feed.loadOlder()
    feed.end()
  })

  test('adds live lines in one go, and none of them twice', async () => {
    jest.useFakeTimers()
    const { feed, write, ids } = startFeed([{ cursor: null, items: lines(2, 1) }])
    let drawings = 0
    await settle()
    feed.subscribe(() => drawings++)
    for (const one of [logLine(2), logLine(3), logLine(4)]) write(one)
    jest.advanceTimersByTime(100)
    expect(ids()).toEqual(['l1', 'l2', 'l3', 'l4'])
    expect(drawings).toBe(1)
    feed.end()
    jest.useRealTimers()
  })

  test('holds live lines back while it is paused, and counts them', async () => {
    jest.useFakeTimers()
    const { feed, write, ids } = startFeed([])
    await settle()
    feed.pause(true)
    write(logLine(1))
    write(logLine(2))
    jest.advanceTimersByTime(100)
    expect(ids()).toEqual([])
    expect(feed.view()).toMatchObject({ isPaused: true, waiting: 2 })
    feed.pause(false)
    expect(ids()).toEqual(['l1', 'l2'])
    expect(feed.view()).toMatchObject({ isPaused: false, waiting: 0 })
    feed.end()
    jest.useRealTimers()
  })

  test('says how many lines came too fast', async () => {
    jest.useFakeTimers()
    const { feed, write } = startFeed([])
    await settle()
    write(logLine(1), 7)
    write(logLine(2), 3)
    jest.advanceTimersByTime(100)
    expect(feed.view().missed).toBe(10)
    feed.end()
    jest.useRealTimers()
  })

  test('tells what went wrong, and goes on when it is asked again', async () => {
    const { feed, ids } = startFeed([
      { cursor: 'c1', items: lines(2, 2) },
      new ApiError('UNAVAILABLE', 'later'),
      { cursor: null, items: lines(1, 1) },
    ])
    await settle()
    await feed.loadOlder()
    expect(feed.view().error?.code).toBe('UNAVAILABLE')
    await feed.loadOlder()
    expect(feed.view().error).toBeNull()
    expect(ids()).toEqual(['l1', 'l2'])
    feed.end()
  })

  test('shows the lines around a place without live ones', async () => {
    const after = async () => [logLine(3), logLine(4)]
    const { feed, ids } = startFeed([{ cursor: 'c', items: lines(2, 1) }], { tail: null, after })
    await settle()
    expect(ids()).toEqual(['l1', 'l2', 'l3', 'l4'])
    feed.end()
  })

  test('is silent after its end', async () => {
    const { feed, isStopped } = startFeed([{ cursor: null, items: lines(1, 1) }])
    let drawings = 0
    feed.subscribe(() => drawings++)
    feed.end()
    await settle()
    expect([drawings, isStopped()]).toEqual([0, true])
  })
})
