import type { KrtIssue } from '../api/krt-issue.ts'
import { t } from '../texts/en.ts'

const ORDER = { error: 0, warning: 1, info: 2 } as const

/** The validator's report: what is wrong, where, and what to do; what stops the bundle first. */
export function IssueList({ issues }: { issues: readonly KrtIssue[] }) {
  const sorted = issues.toSorted(
    (a, b) => ORDER[a.level] - ORDER[b.level] || a.file.localeCompare(b.file) || a.line - b.line,
  )
  return (
    <>
      <p className="issue-count">{issueSummary(issues)}</p>
      <ol className="issues">
        {sorted.map((issue, index) => (
          <li key={index} className={`issue issue-${issue.level}`}>
            <p>
              <span className="issue-level">{t.issues.level[issue.level]}</span> {issue.message}
            </p>
            <p className="faint">
              <code>{placeOf(issue)}</code> · {issue.code}
            </p>
            {issue.hint !== null && issue.hint !== undefined && <p>{issue.hint}</p>}
          </li>
        ))}
      </ol>
    </>
  )
}

/** How many there are of each kind. */
export function issueSummary(issues: readonly KrtIssue[]): string {
  const count = (level: KrtIssue['level']): number =>
    issues.filter((issue) => issue.level === level).length
  return t.issues.summary(count('error'), count('warning'), count('info'))
}

function placeOf({ file, line, column, path }: KrtIssue): string {
  const place = file === '' ? t.issues.bundle : line === 0 ? file : `${file}:${line}:${column}`
  return path === '' ? place : `${place} ${path}`
}
