import { useMemo, useState } from 'react'
import { useQuery } from '../api/use-query.ts'
import { Predictions, type PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Face, QueryView } from '../ui/query-view.tsx'
import { TableFrame } from '../ui/table-frame.tsx'
import { ClassTable } from './class-table.tsx'
import { HitsChart } from './hits-chart.tsx'

type Metrics = NonNullable<PredictionsResult['metrics']>
type PredictionsTabProps = { runtimeId: string; versionName: string }

const DAY_MS = 86_400_000
/** Days. */
const RANGES = [1, 7, 30, 365] as const

/** How good a version's predictions were. */
export function PredictionsTab({ runtimeId, versionName }: PredictionsTabProps) {
  const [days, setDays] = useState<number>(7)
  // Fixed while it is looked at: a range that moves would be another question at each drawing.
  const [startDate, endDate] = useMemo(() => {
    const now = Date.now()
    return [new Date(now - days * DAY_MS).toISOString(), new Date(now).toISOString()] as const
  }, [days])
  const query = useQuery(Predictions, { runtimeId, versionName, startDate, endDate })
  return (
    <section aria-label={t.predictions.title}>
      <div className="toolbar">
        <label>
          {t.predictions.range}{' '}
          <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {RANGES.map((one) => (
              <option key={one} value={one}>
                {t.predictions.lastDays(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <QueryView query={query}>
        {({ metrics }) =>
          metrics === null ? (
            <Face title={t.predictions.emptyTitle} text={t.predictions.empty} />
          ) : (
            <div className="stack">
              <Numbers metrics={metrics} />
              <HitsChart points={metrics.charts.successVsFails} />
              <ClassTable classes={metrics.classes} />
              <Confusion metrics={metrics} />
            </div>
          )
        }
      </QueryView>
    </section>
  )
}

function Numbers({ metrics }: { metrics: Metrics }) {
  const { values, rows, hits, misses } = metrics
  const numbers = [
    [t.predictions.accuracy, `${values.accuracy.total} %`],
    [t.predictions.predictions, rows],
    [t.predictions.hits, hits],
    [t.predictions.misses, misses],
    [t.predictions.missing, `${values.missing} %`],
    [t.predictions.newLabels, `${values.newLabels} %`],
  ] as const
  return (
    <dl className="numbers">
      {numbers.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Rows are what was true, columns what was said; percents of each row. */
function Confusion({ metrics }: { metrics: Metrics }) {
  const points = metrics.charts.confusionMatrix
  const labels = [...new Set(points.flatMap(({ x, y }) => [x, y]))]
  const shares = new Map(points.map(({ x, y, z }) => [`${y}\0${x}`, Number(z)]))
  return (
    <TableFrame label={t.predictions.confusion}>
      <table className="confusion">
        <caption>{t.predictions.confusion}</caption>
        <thead>
          <tr>
            <td />
            {labels.map((label) => (
              <th key={label} scope="col" className="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {labels.map((truth) => (
            <tr key={truth}>
              <th scope="row">{truth}</th>
              {labels.map((said) => {
                const share = shares.get(`${truth}\0${said}`) ?? 0
                return (
                  <td key={said} className={`number heat-${Math.ceil(share / 20)}`}>
                    {share} %
                  </td>
                )
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  )
}
