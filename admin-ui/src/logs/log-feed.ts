/** The lines of one log view as they come: the past by pages, the present one by one, both in order. No DOM, no React. */
import { toApiError, type ApiError } from '../api/api-error.ts'
import type { LogLine } from '../gen/documents.ts'
import { createLogBuffer, LINES_MAX } from './log-buffer.ts'

/** Live lines become one drawing each so many ms. */
const GATHER_MS = 100
/** The first page fills a screen at once; the next ones come while somebody scrolls, so that they may be larger. */
const FIRST_PAGE_LINES = 200
const PAGE_LINES = 1_000

export type LogPage = { readonly cursor: string | null; readonly items: readonly LogLine[] }
export type LogSource = {
  /** Newest first, behind the cursor of the page before. */
  page(cursor: string | null, limit: number, signal: AbortSignal): Promise<LogPage>
  /** Lines newer than any page, oldest first; null = nothing is written any more, or not wanted. */
  tail:
    | ((sink: {
        /** @param leftOut lines in front of it that came too fast. */
        next: (line: LogLine, leftOut: number) => void
        error: (error: ApiError) => void
      }) => () => void)
    | null
  /** Lines behind those of the first page, oldest first, where the view does not end with the newest. */
  after?(signal: AbortSignal): Promise<readonly LogLine[]>
}

export type LogView = {
  readonly lines: readonly LogLine[]
  /** Grows by lines that came in front, shrinks by those that went there: by so many the others moved. */
  readonly front: number
  /** Live lines that wait behind a pause. */
  readonly waiting: number
  /** Live lines that came too fast to be shown; the engine has them. */
  readonly missed: number
  readonly isPaused: boolean
  readonly isLoading: boolean
  readonly hasOlder: boolean
  readonly error: ApiError | null
}

export type LogFeed = {
  readonly view: () => LogView
  readonly subscribe: (listener: () => void) => () => void
  /** One page further back; while one is on its way nothing more is asked. */
  readonly loadOlder: () => Promise<void>
  readonly pause: (isPaused: boolean) => void
  readonly end: () => void
}

/** Before the first page is here. */
export const NOTHING_YET: LogView = {
  lines: [],
  front: 0,
  waiting: 0,
  missed: 0,
  isPaused: false,
  isLoading: true,
  hasOlder: false,
  error: null,
}

export function createLogFeed(source: LogSource): LogFeed {
  const ended = new AbortController()
  const buffer = createLogBuffer()
  const listeners = new Set<() => void>()
  let fresh: LogLine[] = []
  let timer: ReturnType<typeof setTimeout> | null = null
  let cursor: string | null = null
  let isPaging = false
  let view = NOTHING_YET

  function change(changes: Partial<LogView>): void {
    if (ended.signal.aborted) return
    view = { ...view, ...changes, lines: buffer.lines() }
    for (const listener of listeners) listener()
  }

  function flush(): void {
    timer = null
    if (view.isPaused) {
      const surplus = Math.max(0, fresh.length - LINES_MAX)
      fresh = fresh.slice(surplus)
      change({ waiting: fresh.length, missed: view.missed + surplus })
      return
    }
    const lines = fresh
    fresh = []
    const gone = buffer.append(lines)
    // What lies behind the cursor does not follow on the lines that are left: it would leave a gap.
    if (gone > 0) cursor = null
    change({ waiting: 0, front: view.front - gone, hasOlder: cursor !== null })
  }

  async function load(limit: number): Promise<void> {
    if (isPaging) return
    isPaging = true
    try {
      const page = await source.page(cursor, limit, ended.signal)
      cursor = page.cursor
      const added = buffer.prepend(page.items)
      change({ front: view.front + added, hasOlder: cursor !== null, error: null })
    } catch (thrown) {
      change({ error: toApiError(thrown) })
    }
    isPaging = false
  }

  async function begin(): Promise<void> {
    await load(FIRST_PAGE_LINES)
    const behind = await source.after?.(ended.signal).catch((thrown: unknown) => {
      change({ error: toApiError(thrown) })
      return []
    })
    if (behind !== undefined) buffer.append(behind)
    change({ isLoading: false })
  }

  // First the live lines, then the past: nothing falls between the two.
  const stop = source.tail?.({
    next(line, leftOut) {
      fresh.push(line)
      if (leftOut > 0) view = { ...view, missed: view.missed + leftOut }
      timer ??= setTimeout(flush, GATHER_MS)
    },
    error: (error) => change({ error }),
  })
  void begin()

  return {
    view: () => view,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async loadOlder() {
      if (cursor !== null && view.lines.length < LINES_MAX) await load(PAGE_LINES)
    },
    pause(isPaused) {
      change({ isPaused })
      if (!isPaused) flush()
    },
    end() {
      ended.abort()
      stop?.()
      if (timer !== null) clearTimeout(timer)
      listeners.clear()
    },
  }
}
