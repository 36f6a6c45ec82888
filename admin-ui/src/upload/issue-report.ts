/** Findings put where they belong: beside the lines of the files that they are about, as a compiler does. Pure. */
import type { KrtIssue } from '../api/krt-issue.ts'

export type FileIssues = { readonly file: string; readonly issues: readonly KrtIssue[] }

export type ReportPart =
  | {
      readonly kind: 'line'
      /** From 1. */
      readonly number: number
      readonly text: string
      readonly issues: readonly KrtIssue[]
    }
  /** Lines that are left out: first and last. */
  | { readonly kind: 'gap'; readonly from: number; readonly to: number }

const ORDER = { error: 0, warning: 1, info: 2 } as const
/** Around each finding. */
const CONTEXT_LINES = 2
/** Of a whole file that are shown. */
export const LINES_MAX = 3_000
/** Of a line, around its first finding. */
const LINE_CHARS_MAX = 240

/** What stops the bundle first, then by place. */
export function sortIssues(issues: readonly KrtIssue[]): KrtIssue[] {
  return issues.toSorted(
    (a, b) =>
      ORDER[a.level] - ORDER[b.level] ||
      a.file.localeCompare(b.file) ||
      a.line - b.line ||
      a.column - b.column,
  )
}

/** By file, those with errors first; what has no line is about the bundle, or the file, as a whole. */
export function splitIssues(issues: readonly KrtIssue[]): {
  readonly whole: readonly KrtIssue[]
  readonly files: readonly FileIssues[]
} {
  const hasLine = ({ file, line }: KrtIssue): boolean => file !== '' && line > 0
  const sorted = sortIssues(issues)
  const placed = Map.groupBy(sorted.filter(hasLine), ({ file }) => file)
  return {
    whole: sorted.filter((issue) => !hasLine(issue)),
    files: [...placed].map(([file, own]) => ({ file, issues: own })),
  }
}

/** @param isWhole every line of the file, up to `LINES_MAX`; else the findings with the lines around them. */
export function partsOf(
  text: string,
  issues: readonly KrtIssue[],
  isWhole: boolean,
): readonly ReportPart[] {
  const lines = text.split(/\r?\n/)
  if (lines.length > 1 && lines.at(-1) === '') lines.pop()
  // A finding about what is missing at the end may name the line behind it.
  const byLine = Map.groupBy(issues, ({ line }) => Math.min(Math.max(line, 1), lines.length))
  const shown = new Set<number>()
  for (const at of byLine.keys())
    for (let line = at - CONTEXT_LINES; line <= at + CONTEXT_LINES; line += 1) shown.add(line)
  const parts: ReportPart[] = []
  for (const [index, line] of lines.entries()) {
    const number = index + 1
    const last = parts.at(-1)
    if (shown.has(number) || (isWhole && number <= LINES_MAX)) {
      const own = (byLine.get(number) ?? []).toSorted((a, b) => a.column - b.column)
      parts.push({ kind: 'line', number, text: line, issues: own })
    } else if (last?.kind === 'gap') parts[parts.length - 1] = { ...last, to: number }
    else parts.push({ kind: 'gap', from: number, to: number })
  }
  return parts
}

export type MarkedLine = {
  readonly before: string
  readonly marked: string
  readonly after: string
}

/**
 * A line with the word that a finding points at set apart, cut to what fits.
 *
 * @param column from 1; 0 = nothing is set apart.
 */
export function markLine(text: string, column: number): MarkedLine {
  const at = Math.min(Math.max(column - 1, 0), text.length)
  const from = Math.max(0, at - LINE_CHARS_MAX / 2)
  const to = Math.min(text.length, from + LINE_CHARS_MAX)
  const word = column === 0 ? '' : wordAt(text.slice(at, to))
  return {
    before: (from > 0 ? '…' : '') + text.slice(from, at),
    marked: word,
    after: text.slice(at + word.length, to) + (to < text.length ? '…' : ''),
  }
}

/** A name, something in quotes, or the one character that stands there. */
function wordAt(text: string): string {
  return /^(?:[\w.-]+|"[^"]*"|'[^']*'|\S)/.exec(text)?.[0] ?? ''
}
