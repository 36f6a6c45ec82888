/** Puts the lines of a log together, so that many that come at once are one message. */
import { KiB, type LogBatch } from '@kre/contracts/runtime'

export type Line = LogBatch['lines'][number]
export type GatheredLines = {
  add(line: Line): void
  /** Gives what waits. */
  flush(): void
}

/** Lines that follow others within this wait for each other; the first one goes with the turn of the event loop. */
const GATHER_MS = 20
const LINES_MAX = 500
/** UTF-16 code units of the messages. As JSON it is at most six times as many bytes: a server's default takes 1 MiB. */
const CHARS_MAX = 64 * KiB

/** @param give gets them in their order; at most 500 lines, or as many as begin within 64 Ki characters. */
export function gatherLines(give: (lines: Line[]) => void): GatheredLines {
  let lines: Line[] = []
  let chars = 0
  let lastAt = -Infinity
  let isFirst = true
  let timer: NodeJS.Timeout | undefined

  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    isFirst = true
    if (lines.length === 0) return
    const gathered = lines
    lines = []
    chars = 0
    lastAt = performance.now()
    give(gathered)
  }
  const schedule = () => {
    isFirst = false
    const waitMs = lastAt + GATHER_MS - performance.now()
    if (waitMs > 0) timer = setTimeout(flush, waitMs)
    else setImmediate(flush)
  }

  return {
    add(line) {
      lines.push(line)
      chars += line[MESSAGE].length
      if (lines.length >= LINES_MAX || chars >= CHARS_MAX) flush()
      else if (isFirst) schedule()
    },
    flush,
  }
}

const MESSAGE = 3
