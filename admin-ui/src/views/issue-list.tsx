import type { KrtIssue } from '../api/krt-issue.ts'
import { t } from '../texts/en.ts'
import { sortIssues } from '../upload/issue-report.ts'

type IssueListProps = { issues: readonly KrtIssue[]; hasCount?: boolean }

/** The validator's report: what is wrong, where, and what to do; what stops the bundle first. */
export function IssueList({ issues, hasCount = true }: IssueListProps) {
  return (
    <>
      {hasCount && <p className="issue-count">{issueSummary(issues)}</p>}
      <ol className="issues">
        {sortIssues(issues).map((issue, index) => (
          <li key={index}>
            <IssueNote issue={issue} />
          </li>
        ))}
      </ol>
    </>
  )
}

/** One finding: what is wrong, where, by which rule, and what to do. */
export function IssueNote({ issue }: { issue: KrtIssue }) {
  const { level, message, code, hint } = issue
  return (
    <div className={`issue issue-${level}`}>
      <p>
        <span className="issue-level">{t.issues.level[level]}</span> {message}
      </p>
      {hint !== null && hint !== undefined && <p>{hint}</p>}
      <p className="faint">
        <code>{placeOf(issue)}</code> · <code>{code}</code>
      </p>
    </div>
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
