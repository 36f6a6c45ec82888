import type { Writable } from 'node:stream'

/** Where a command writes: results to standard output, progress and errors to standard error. */
export type Output = {
  /** Machine-readable results: one JSON document, nothing else on standard output. */
  readonly json: boolean
  /** The result: `value` with --json, else `text`. */
  result(value: unknown, text: string): void
  /** One line of progress. */
  step(text: string): void
  /** A piece of a stream that goes on: one JSON line, or the text. */
  line(value: unknown, text: string): void
}

export function createOutput(stdout: Writable, stderr: Writable, json: boolean): Output {
  return {
    json,
    result: (value, text) =>
      void stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`),
    step: (text) => void stderr.write(`${text}\n`),
    line: (value, text) => void stdout.write(json ? `${JSON.stringify(value)}\n` : `${text}\n`),
  }
}

/** Columns padded to their widest cell; empty tables say so. */
export function table(
  headers: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string {
  if (rows.length === 0) return empty
  const widths = headers.map((header, i) =>
    Math.max(header.length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const format = (cells: readonly string[]) =>
    cells
      .map((cell, i) => printable(cell).padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [headers, ...rows].map(format).join('\n')
}

/** Without control and formatting characters, so that no name or log line can steer a terminal; tabs and line ends stay. */
export function printable(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\p{Cf}]/gu, '\u{fffd}')
}
