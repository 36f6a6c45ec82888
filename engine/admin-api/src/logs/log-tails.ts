import { SECOND_MS, toKreError, type KreError, type LogRecord } from '@kre/contracts'
import type { FeatureDeps } from '../context.ts'
import { createLogRing, type LogRing } from './log-ring.ts'

/**
 * Lines of different nodes are stored out of order by at most so much, and clocks are off by no more; others are found
 * by `logs` only. So a line from the future hides none of those that come after it.
 */
const OUT_OF_ORDER_MS = 5 * SECOND_MS
/** … and by at most so many lines, so that a chatty version does not have the same lines read over and over. */
const OUT_OF_ORDER_LINES = 2_000
const PAGE_ITEMS = 500

type LogTailsDeps = Pick<FeatureDeps, 'outputs' | 'events' | 'now'>
type OfVersion = { readonly runtimeId: string; readonly version: string }

/** A line, and how many of the version's lines before it the follower was too slow for. */
export type TailLine = { readonly record: LogRecord; readonly leftOut: number }
/** Lines that are stored from the call on, oldest first, each once. */
export type FollowLog = (
  of: OfVersion,
  options: { matches: (record: LogRecord) => boolean; signal: AbortSignal },
) => Promise<AsyncIterableIterator<TailLine, undefined>>

/**
 * Follows the logs of versions for any number of followers: each line is read once. A follower has a place in the
 * version's newest lines and nothing else, so a slow one costs nothing, holds nobody up, and is told what it missed.
 */
export function createLogTails(deps: LogTailsDeps): FollowLog {
  const tails = new Map<string, Tail>()

  return async function follow(of, { matches, signal }) {
    const key = JSON.stringify([of.runtimeId, of.version])
    const open = (): Tail => {
      const opened = openTail(deps, of, () => void (tails.get(key) === opened && tails.delete(key)))
      return opened
    }
    const tail = tails.get(key) ?? open()
    tails.set(key, tail)
    const follower = enterTail(tail, { matches, signal })
    try {
      await tail.refresh()
    } catch (error) {
      await follower.return?.()
      throw error
    }
    follower.begin()
    return follower
  }
}

type Tail = {
  readonly ring: LogRing
  /** Resolves when everything is there that was stored before the call. @throws what the store throws. */
  refresh(): Promise<void>
  /** Why there will be no more; null = there may be. */
  readonly failure: KreError | null
  /**
   * Calls back when there are more lines, or there is a failure.
   *
   * @returns the function that ends it; the last follower that leaves ends the tail.
   */
  enter(onChange: () => void): () => void
}

function openTail({ outputs, events, now }: LogTailsDeps, of: OfVersion, onEnd: () => void): Tail {
  const ring = createLogRing()
  const readNew = createTailReader({ outputs, now }, of, (record) => ring.add(record))
  const followers = new Set<() => void>()
  let failure: KreError | null = null
  let reading: Promise<void> = Promise.resolve()
  let isStale = false

  function refresh(): Promise<void> {
    reading = reading.then(async () => {
      isStale = false
      const before = ring.end
      await readNew()
      if (ring.end > before) tell()
    })
    return reading
  }
  function tell(): void {
    for (const onChange of followers) onChange()
  }
  function fail(error: unknown): void {
    failure = toKreError(error)
    end()
    tell()
  }
  function end(): void {
    unsubscribe()
    onEnd()
  }
  const unsubscribe = events.subscribe((event) => {
    // One read that has not begun yet is enough for all hints.
    if (event.type !== 'logs.written' || event.runtimeId !== of.runtimeId || isStale) return
    isStale = true
    refresh().catch(fail)
  })

  return {
    ring,
    refresh,
    get failure() {
      return failure
    },
    enter(onChange) {
      // Each follower is one of its own, even with the same function.
      const follower = (): void => onChange()
      followers.add(follower)
      return () => void (followers.delete(follower) && followers.size === 0 && end())
    },
  }
}

type Follower = AsyncIterableIterator<TailLine, undefined> & {
  /** Leaves out what is there by now. */
  begin(): void
}

function enterTail(
  tail: Tail,
  { matches, signal }: { matches: (record: LogRecord) => boolean; signal: AbortSignal },
): Follower {
  const { ring } = tail
  let place = ring.end
  let leftOut = 0
  let isEnded = false
  let wake = (): void => undefined
  const leave = tail.enter(() => wake())
  const end = (): void => {
    isEnded = true
    signal.removeEventListener('abort', end)
    leave()
    wake()
  }
  signal.addEventListener('abort', end)
  if (signal.aborted) end()

  function nextLine(): TailLine | null {
    if (place < ring.begin) {
      leftOut += ring.begin - place
      place = ring.begin
    }
    for (let record = ring.at(place); record !== undefined; record = ring.at(place)) {
      place += 1
      if (!matches(record)) continue
      const line = { record, leftOut }
      leftOut = 0
      return line
    }
    return null
  }

  return {
    begin() {
      place = ring.end
    },
    async next() {
      while (!isEnded) {
        const line = nextLine()
        if (line !== null) return { done: false, value: line }
        if (tail.failure !== null) throw tail.failure
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return { done: true, value: undefined }
    },
    async return() {
      end()
      return { done: true, value: undefined }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** Each call reads the lines since the newest one, and a little before it, and hands those over that are new. */
function createTailReader(
  { outputs, now }: Pick<LogTailsDeps, 'outputs' | 'now'>,
  { runtimeId, version }: OfVersion,
  take: (record: LogRecord) => void,
): () => Promise<void> {
  let newestMs = now().getTime() - OUT_OF_ORDER_MS
  let oldestMs = newestMs
  /** Ids with their dates; those before the window can't come again and are forgotten. */
  const seen = new Map<string, number>()

  return async function readNew() {
    const sinceMs = Math.max(oldestMs, newestMs - OUT_OF_ORDER_MS)
    for (const [id, dateMs] of seen) if (dateMs < sinceMs) seen.delete(id)
    const to = new Date(now().getTime() + OUT_OF_ORDER_MS)
    let cursor: string | null = null
    do {
      const page = await outputs.logs({
        runtimeId,
        versions: [version],
        from: new Date(sinceMs),
        to,
        ...(cursor === null ? {} : { cursor }),
        limit: PAGE_ITEMS,
        order: 'oldest-first',
      })
      for (const record of page.items) {
        if (seen.has(record.id)) continue
        const dateMs = Date.parse(record.date)
        seen.set(record.id, dateMs)
        newestMs = Math.max(newestMs, dateMs)
        take(record)
      }
      cursor = page.cursor
    } while (cursor !== null)
    oldestMs = Math.max(oldestMs, beginOfNewest(seen, OUT_OF_ORDER_LINES))
  }
}

/** Date of the oldest among the `count` newest lines; -Infinity when there are not so many. */
function beginOfNewest(seen: ReadonlyMap<string, number>, count: number): number {
  if (seen.size <= count) return -Infinity
  return Float64Array.from(seen.values()).toSorted().at(-count) ?? -Infinity
}
