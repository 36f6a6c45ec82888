/** The lines that a log view holds, oldest first, each once. */
import type { LogLine } from '../gen/documents.ts'

/** Beyond so many the oldest go: they can be loaded again. */
export const LINES_MAX = 100_000

export type LogBuffer = {
  /** Not to be changed; another array after each change. */
  lines(): readonly LogLine[]
  /** Newer lines, in any order among themselves. @returns how many old ones went for them. */
  append(lines: readonly LogLine[]): number
  /** Older lines, newest first as the engine answers them. @returns how many were new. */
  prepend(lines: readonly LogLine[]): number
  clear(): void
}

export function createLogBuffer(linesMax = LINES_MAX): LogBuffer {
  let lines: LogLine[] = []
  const known = new Set<string>()

  /** A page and the live lines meet: what is there already is left out. */
  function unknown(candidates: readonly LogLine[]): LogLine[] {
    return candidates.filter(({ id }) => {
      if (known.has(id)) return false
      known.add(id)
      return true
    })
  }

  return {
    lines: () => lines,
    append(candidates) {
      const fresh = unknown(candidates)
      if (fresh.length === 0) return 0
      const last = lines.at(-1)?.date ?? ''
      const isOrdered = fresh.every(({ date }, index) => date >= (fresh[index - 1]?.date ?? last))
      lines = lines.concat(fresh)
      // Replicas write at once: a line can come after one that is a little younger.
      if (!isOrdered) lines.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0))
      const surplus = Math.max(0, lines.length - linesMax)
      for (const { id } of lines.slice(0, surplus)) known.delete(id)
      if (surplus > 0) lines = lines.slice(surplus)
      return surplus
    },
    prepend(candidates) {
      const room = Math.max(0, linesMax - lines.length)
      const fresh = unknown(candidates.slice(0, room)).toReversed()
      lines = fresh.concat(lines)
      return fresh.length
    },
    clear() {
      lines = []
      known.clear()
    },
  }
}
