import type { Writable } from 'node:stream'

/** Where a command writes: results to standard output, progress and errors to standard error. */
export type Output = {
  /** Machine-readable results: one JSON document, nothing else on standard output. */
  readonly json: boolean
  /** The result: `value` with --json, else `text`. */
  result(value: unknown, text: string): void
  /** One line of progress. */
  step(text: string): void
  /** One line of an error: said also to those who want no progress. */
  error(text: string): void
  /** A line of progress that takes the place of the one before; nothing where no terminal is. */
  gauge(text: string): void
  /** A piece of a stream that goes on: one JSON line, or the text. */
  line(value: unknown, text: string): void
}

export function createOutput(
  stdout: Writable,
  stderr: Writable & { isTTY?: boolean },
  options: { json?: boolean; quiet?: boolean } = {},
): Output {
  const { json = false, quiet = false } = options
  const hasGauge = stderr.isTTY === true && !quiet
  let gauged = false
  const clearGauge = () => {
    if (gauged) stderr.write('\r\u{1b}[K')
    gauged = false
  }
  return {
    json,
    result(value, text) {
      clearGauge()
      stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${printable(text)}\n`)
    },
    step(text) {
      clearGauge()
      if (!quiet) stderr.write(`${printable(text)}\n`)
    },
    error(text) {
      clearGauge()
      stderr.write(`${printable(text)}\n`)
    },
    gauge(text) {
      if (!hasGauge) return
      stderr.write(`\r\u{1b}[K${printable(text)}`)
      gauged = true
    },
    line(value, text) {
      stdout.write(json ? `${JSON.stringify(value)}\n` : `${printable(text)}\n`)
    },
  }
}

/** Columns padded to their widest cell; empty tables say so. */
export function table(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string {
  if (rows.length === 0) return empty
  const lines = [headers, ...rows].map((cells) => cells.map(oneLine))
  const widths = headers.map((_, i) => Math.max(...lines.map((cells) => (cells[i] ?? '').length)))
  return lines
    .map((cells) =>
      cells
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const oneLine = (cell: string) => printable(cell).replace(/[\t\n]+/g, ' ')

/** Without control and formatting characters, so that no name or log line can steer a terminal; tabs and line ends stay. */
export function printable(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\p{Cf}]/gu, '\u{fffd}')
}
