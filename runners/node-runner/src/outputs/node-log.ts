/** The node's log: limited in rate, sent through the outbox, never awaited. */
import { randomUUID } from 'node:crypto'
import { logRecordsOf, type LogBatch, type LogLevel, type NodeLaunch } from '@kre/contracts/runtime'
import { maskConfig } from '@kre/service-kit/masking'
import { gatherLines, type Line } from './gather-lines.ts'
import { cutLine } from './log-line.ts'
import { originOf } from './origin.ts'
import type { Outbox } from './outbox.ts'

/** A node that prints more than this has lost its mind or is in a loop; the store must not suffer for it. */
const LINES_PER_SECOND_MAX = 1_000

export type NodeLog = {
  write(level: LogLevel, text: string, requestId: string | null, date?: string | null): void
  /** Counts lines that are dropped elsewhere; said in the log when there is room again. */
  dropped(lines: number): void
  /** Hands over the lines that wait for others. */
  flush(): void
  readonly droppedLines: number
}

/** @param onText told of each text that is sent. */
export function createNodeLog(
  launch: NodeLaunch,
  outbox: () => Outbox,
  onText: (text: string) => void,
): NodeLog {
  const incarnation = randomUUID()
  const mask = maskConfig(launch.config)
  let sequence = 0
  let windowStart = 0
  let inWindow = 0
  let unsaid = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  const { requestId: _, ...shared } = originOf(launch, null)
  const idPrefix = `${incarnation}/${launch.node}/`
  const gathered = gatherLines((lines: Line[]) => {
    const batch: LogBatch = { kind: 'logs', idPrefix, ...shared, lines }
    // Alone it is a record as others are.
    const [only = batch] = lines.length === 1 ? logRecordsOf(batch) : []
    outbox().post(only)
  })
  const post = (level: LogLevel, text: string, requestId: string | null, date: string | null) =>
    gathered.add([sequence++, date ?? new Date().toISOString(), level, cutLine(text), requestId])
  const sayDropped = () => {
    timer = undefined
    const lines = unsaid
    unsaid = 0
    if (lines > 0) post('WARN', `dropped ${lines} lines`, null, null)
  }
  const drop = (lines: number) => {
    unsaid += lines
    dropped += lines
    timer ??= setTimeout(sayDropped, 1_000).unref()
  }

  return {
    get droppedLines() {
      return dropped
    },
    write(level, text, requestId, date = null) {
      const now = performance.now()
      if (now - windowStart >= 1_000) {
        windowStart = now
        inWindow = 0
      }
      if (++inWindow > LINES_PER_SECOND_MAX) return drop(1)
      // Before it is seen anywhere: a configured value that is printed by mistake goes no further.
      const masked = mask(text)
      onText(masked)
      post(level, masked, requestId, date)
    },
    dropped: drop,
    flush: () => gathered.flush(),
  }
}
