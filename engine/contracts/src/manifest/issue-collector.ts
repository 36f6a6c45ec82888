/** Gathers the issues of one manifest and gives each its position. */
import { formatPath, type DocumentPath } from './document-path.ts'
import { escapeUnprintable } from './escape-unprintable.ts'
import { ISSUE_CODES, type IssueCode } from './issue-codes.ts'
import type { KrtIssue } from './issue.ts'

/** Line and column, from 1. */
export type Position = { readonly line: number; readonly column: number }
export type Locate = (path: DocumentPath, part?: 'key') => Position

export type NewIssue = {
  code: IssueCode
  path: DocumentPath
  message: string
  hint?: string
  /** Default: the usual level of the code. */
  level?: KrtIssue['level']
  /** Points at the key instead of at the value. */
  part?: 'key'
  /** Where the path alone does not lead to the position. */
  position?: Position
}

/** What the checks see of the collector. */
export type Report = {
  add(issue: NewIssue): void
  /** `kre.yaml:12:11`, for messages that name a second place. */
  place(path: DocumentPath): string
}

/** Issues listed of one manifest: more help nobody, and a hostile file could produce 100,000. */
export const ISSUES_MAX = 1_000

export type IssueCollector = Report & {
  /** In the order of their positions. */
  list(): KrtIssue[]
}

export function createIssueCollector(file: string, locate: Locate): IssueCollector {
  const issues: KrtIssue[] = []
  let omitted = 0
  let omittedErrors = false
  return {
    add({ code, path, message, hint, level = ISSUE_CODES[code].level, part, position }) {
      if (issues.length >= ISSUES_MAX) {
        omitted++
        omittedErrors ||= level === 'error'
        return
      }
      issues.push({
        code,
        level,
        message: escapeUnprintable(message),
        file,
        ...(position ?? locate(path, part)),
        path: escapeUnprintable(formatPath(path)),
        ...(hint === undefined ? {} : { hint: escapeUnprintable(hint) }),
      })
    },
    place(path) {
      const { line, column } = locate(path)
      return `${file}:${line}:${column}`
    },
    list() {
      const sorted = issues.toSorted((a, b) => a.line - b.line || a.column - b.column)
      if (omitted === 0) return sorted
      const last = sorted.at(-1)
      sorted.push({
        code: 'ISSUES_OMITTED',
        level: omittedErrors ? 'error' : 'warning',
        message: `${omitted} more issues are not listed`,
        file,
        line: last?.line ?? 1,
        column: last?.column ?? 1,
        path: '',
        hint: `only the first ${ISSUES_MAX} are: fix these and validate again`,
      })
      return sorted
    },
  }
}
