import { useMemo, useState } from 'react'
import { useQuery } from '../api/use-query.ts'
import { Predictions, type PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Face, QueryView } from '../ui/query-view.tsx'
import { ClassTable } from './class-table.tsx'
import { ConfusionMatrix } from './confusion-matrix.tsx'
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
              <HitsChart points={metrics.charts.successVsFails} from={startDate} to={endDate} />
              <div className="side-by-side">
                <section className="stack-tight">
                  <h2>{t.predictions.classes}</h2>
                  <p className="faint">{t.predictions.classesMeans}</p>
                  <ClassTable classes={metrics.classes} />
                </section>
                <ConfusionMatrix points={metrics.charts.confusionMatrix} />
              </div>
            </div>
          )
        }
      </QueryView>
    </section>
  )
}

function Numbers({ metrics }: { metrics: Metrics }) {
  const { values, rows, hits, misses } = metrics
  const words = t.predictions
  const numbers = [
    [words.accuracy, `${values.accuracy.total} %`, words.accuracyOf(hits, hits + misses)],
    [words.predictions, rows, null],
    [words.hits, hits, null],
    [words.misses, misses, null],
    [words.missing, `${values.missing} %`, words.missingMeans],
    [words.newLabels, `${values.newLabels} %`, words.newLabelsMeans],
  ] as const
  return (
    <dl className="numbers">
      {numbers.map(([name, value, meaning]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
          {meaning !== null && <dd>{meaning}</dd>}
        </div>
      ))}
    </dl>
  )
}
