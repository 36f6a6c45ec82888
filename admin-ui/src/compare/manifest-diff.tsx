import { useMemo } from 'react'
import { t } from '../texts/en.ts'
import { TableFrame } from '../ui/table-frame.tsx'
import { useChoices } from '../ui/use-choices.ts'
import { visibleText } from '../ui/visible-text.ts'
import { countChanges, foldSame, lineDiff, type DiffLine } from './line-diff.ts'

type ManifestDiffProps = { before: string; after: string }

/** Both manifests in one column, what went and what came in its place below each other. */
export function ManifestDiff({ before, after }: ManifestDiffProps) {
  const [choices, choose] = useChoices()
  const isWhole = choices.get('lines') === 'all'
  const lines = useMemo(() => lineDiff(before, after), [before, after])
  const { added, removed } = countChanges(lines)
  const shown = isWhole ? lines : foldSame(lines)
  return (
    <>
      <p className="faint">{t.compare.asRead}</p>
      <p className="row">
        <span>
          {added + removed === 0 ? t.compare.sameManifest : t.compare.lines(added, removed)}
        </span>
        <label className="check">
          <input
            type="checkbox"
            checked={isWhole}
            onChange={(event) => choose('lines', event.target.checked ? 'all' : null)}
          />
          {t.compare.wholeManifest}
        </label>
      </p>
      <TableFrame label={t.compare.manifest}>
        <table className="diff" aria-label={t.compare.manifest}>
          <thead className="hidden-text">
            <tr>
              <th scope="col">{t.compare.lineBefore}</th>
              <th scope="col">{t.compare.lineAfter}</th>
              <th scope="col">{t.compare.line}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((line, index) => (
              <Line key={index} line={line} />
            ))}
          </tbody>
        </table>
      </TableFrame>
    </>
  )
}

function Line({ line }: { line: DiffLine }) {
  if (line.kind === 'fold')
    return (
      <tr className="diff-fold">
        <td colSpan={3}>{t.compare.folded(line.count)}</td>
      </tr>
    )
  const { kind, text, before, after } = line
  const Tag = kind === 'added' ? 'ins' : kind === 'removed' ? 'del' : 'span'
  return (
    <tr className={`diff-${kind}`}>
      <td className="diff-number">{before}</td>
      <td className="diff-number">{after}</td>
      <td className="diff-text">
        <span aria-hidden="true" className="diff-sign">
          {kind === 'added' ? '+' : kind === 'removed' ? '−' : ' '}
        </span>
        <Tag>{visibleText(text)}</Tag>
      </td>
    </tr>
  )
}
