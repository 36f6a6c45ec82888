import { useState } from 'react'
import type { KrtIssue } from '../api/krt-issue.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { IssueNote, issueSummary } from '../views/issue-list.tsx'
import { markLine, partsOf, type ReportPart } from './issue-report.ts'

type SourceReportProps = { file: string; text: string; issues: readonly KrtIssue[] }

/** A file of the bundle with its findings between the lines. */
export function SourceReport({ file, text, issues }: SourceReportProps) {
  const [isWhole, setWhole] = useState(false)
  const parts = partsOf(text, issues, isWhole)
  const hasGaps = parts.some(({ kind }) => kind === 'gap')
  return (
    <section className="source" aria-label={t.issues.source(file)}>
      <div className="source-head">
        <h3>
          <code>{visibleText(file)}</code>
        </h3>
        <span className="faint">{issueSummary(issues)}</span>
        {(hasGaps || isWhole) && (
          <Button kind="quiet" onClick={() => setWhole(!isWhole)}>
            {isWhole ? t.issues.onlyFindings : t.issues.wholeFile}
          </Button>
        )}
      </div>
      <div className="source-lines" role="region" tabIndex={0} aria-label={t.issues.lines(file)}>
        {parts.map((part) => (
          <Part key={part.kind === 'gap' ? `gap ${part.from}` : part.number} part={part} />
        ))}
      </div>
    </section>
  )
}

function Part({ part }: { part: ReportPart }) {
  if (part.kind === 'gap')
    return <p className="source-gap">{t.issues.gap(part.to - part.from + 1)}</p>
  const [first] = part.issues
  const { before, marked, after } = markLine(part.text, first?.column ?? 0)
  return (
    <>
      <div className={first === undefined ? 'source-line' : `source-line source-${first.level}`}>
        <span className="source-number">{part.number}</span>
        <code>
          {visibleText(before)}
          {marked !== '' && <mark>{visibleText(marked)}</mark>}
          {visibleText(after)}
        </code>
      </div>
      {part.issues.map((issue, index) => (
        <IssueNote key={index} issue={issue} />
      ))}
    </>
  )
}
