/** Turns chunks of a text stream into log records, joining the lines of one message. */
import type { LogLevel } from '@kre/contracts/runtime'
import { createByteDecoder } from './byte-decoder.ts'
import { continues, LINE_CHARS_MAX, parseLogLine, type LogLine } from './log-line.ts'

/** How long a line waits for lines that belong to it. */
const JOIN_MS = 20

export type LineAssembler = {
  write(chunk: Uint8Array | string, otherwise?: LogLevel): void
  /** Gives out what waits. */
  flush(): void
}

/** @param emit gets each complete message, at most 16 KiB of it. */
export function createLineAssembler(emit: (line: LogLine) => void): LineAssembler {
  const decoder = createByteDecoder()
  let partial = ''
  let pending: { text: string; otherwise: LogLevel } | null = null
  let timer: NodeJS.Timeout | undefined

  const give = () => {
    clearTimeout(timer)
    timer = undefined
    if (pending === null) return
    const { text, otherwise } = pending
    pending = null
    emit(parseLogLine(text, otherwise))
  }
  const take = (line: string, otherwise: LogLevel) => {
    if (pending !== null && continues(line) && pending.text.length < LINE_CHARS_MAX) {
      pending.text += `\n${line}`
      return
    }
    give()
    if (line.trim() === '') return
    pending = { text: line, otherwise }
  }

  return {
    write(chunk, otherwise = 'INFO') {
      partial += typeof chunk === 'string' ? chunk : decoder.write(chunk)
      let start = 0
      for (let end = partial.indexOf('\n'); end !== -1; end = partial.indexOf('\n', start)) {
        take(partial.slice(start, partial[end - 1] === '\r' ? end - 1 : end), otherwise)
        start = end + 1
      }
      partial = partial.slice(start)
      // A line without an end is given out in pieces, so that memory stays bounded.
      while (partial.length > LINE_CHARS_MAX) {
        take(partial.slice(0, LINE_CHARS_MAX), otherwise)
        give()
        partial = partial.slice(LINE_CHARS_MAX)
      }
      if (pending !== null) timer ??= setTimeout(give, JOIN_MS).unref()
    },
    flush() {
      partial += decoder.end()
      if (partial !== '') take(partial, 'INFO')
      partial = ''
      give()
    },
  }
}
