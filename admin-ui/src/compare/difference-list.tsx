import type { VersionComparisonResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { DataTable } from '../ui/data-table.tsx'
import { visibleText } from '../ui/visible-text.ts'

type Comparison = VersionComparisonResult['versionComparison']
type Difference = Comparison['differences'][number]

/** What came, went and changed, one row for each thing. */
export function DifferenceList({ comparison }: { comparison: Comparison }) {
  const { differences, isSameBundle, leftOut } = comparison
  return (
    <>
      {isSameBundle && <p>{t.compare.sameBundle}</p>}
      <DataTable
        label={t.compare.differences}
        rows={differences}
        keyOf={({ area, name }) => `${area} ${name}`}
        className="differences"
        empty={<p className="faint">{t.compare.none}</p>}
        columns={[
          {
            key: 'area',
            title: t.compare.what,
            cell: ({ area }) => t.compare.areas[area],
            sortBy: ({ area }) => t.compare.areas[area],
          },
          {
            key: 'name',
            title: t.compare.name,
            kind: 'name',
            cell: ({ name }) => <span className="break">{visibleText(name)}</span>,
            sortBy: ({ name }) => name,
          },
          {
            key: 'change',
            title: t.compare.change,
            cell: ({ change }) => (
              <span className={`chip change-${change.toLowerCase()}`}>
                {t.compare.changes[change]}
              </span>
            ),
            sortBy: ({ change }) => change,
          },
          { key: 'fields', title: t.compare.fields, cell: Fields },
        ]}
      />
      {leftOut > 0 && <p className="faint">{t.compare.leftOut(leftOut)}</p>}
      <p className="faint">{t.compare.contents}</p>
    </>
  )
}

function Fields({ area, change, fields }: Difference) {
  if (fields.length === 0) return null
  return (
    <ul className="field-changes">
      {fields.map(({ name, before, after }) => (
        <li key={name}>
          <code>{name}</code>{' '}
          {area === 'CONFIGURATION' && name === 'value' ? (
            <span>{valueText(before, after)}</span>
          ) : (
            <Change before={before} after={after} isWhole={change !== 'CHANGED'} />
          )}
        </li>
      ))}
    </ul>
  )
}

/** Values are never shown: only whether they are alike. */
function valueText(before: string | null, after: string | null): string {
  if (before === null) return t.compare.valueSet
  return after === null ? t.compare.valueUnset : t.compare.valueChanged
}

type ChangeProps = { before: string | null; after: string | null; isWhole: boolean }

function Change({ isWhole, ...sides }: ChangeProps) {
  const shown = (side: string | null) => (side === null ? null : visibleText(side))
  const [before, after] = [shown(sides.before), shown(sides.after)]
  // Of a thing that came or went, there is one side only.
  if (isWhole) return <span>{before ?? after}</span>
  return (
    <>
      {before === null ? <i className="faint">{t.compare.unset}</i> : <del>{before}</del>}
      <span aria-hidden="true"> → </span>
      <span className="hidden-text">{t.compare.becomes}</span>
      {after === null ? <i className="faint">{t.compare.unset}</i> : <ins>{after}</ins>}
    </>
  )
}
