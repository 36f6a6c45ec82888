import { useEffect, useState } from 'react'
import type { KrtIssue } from '../api/krt-issue.ts'
import { IssueList, issueSummary } from '../views/issue-list.tsx'
import { splitIssues } from './issue-report.ts'
import { readBundleTexts } from './read-bundle-texts.ts'
import { SourceReport } from './source-report.tsx'

type Texts = ReadonlyMap<string, string>

/** The validator's report: findings beside the lines that they are about, as far as the bundle can be read here. */
export function UploadReport({ bundle, issues }: { bundle: Blob; issues: readonly KrtIssue[] }) {
  const [texts, setTexts] = useState<Texts | null>(null)
  const { whole, files } = splitIssues(issues)
  useEffect(() => {
    let isOver = false
    const names = new Set(splitIssues(issues).files.map(({ file }) => file))
    void readBundleTexts(bundle, names).then((found) => {
      if (!isOver) setTexts(found)
    })
    return () => {
      isOver = true
    }
  }, [bundle, issues])
  return (
    <div className="report">
      <p className="issue-count">{issueSummary(issues)}</p>
      {whole.length > 0 && <IssueList issues={whole} hasCount={false} />}
      {files.map(({ file, issues: own }) => {
        const text = texts?.get(file)
        return text === undefined ? (
          <IssueList key={file} issues={own} hasCount={false} />
        ) : (
          <SourceReport key={file} file={file} text={text} issues={own} />
        )
      })}
    </div>
  )
}
