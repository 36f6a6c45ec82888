import { useMemo } from 'react'
import { useSearchParams } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { Predictions, type PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { Face, QueryView } from '../ui/query-view.tsx'
import { Twin } from '../ui/twin.tsx'
import { ClassTable } from './class-table.tsx'
import { ConfusionMatrix } from './confusion-matrix.tsx'
import { HitsChart } from './hits-chart.tsx'
import { PredictionRangeForm } from './prediction-range-form.tsx'
import { boundsOf, metricsCommand, readRange, withRange } from './prediction-range.ts'

type Metrics = NonNullable<PredictionsResult['metrics']>
type PredictionsTabProps = { runtimeId: string; versionName: string }

/** How good a version's predictions were; of which time is in the URL. */
export function PredictionsTab({ runtimeId, versionName }: PredictionsTabProps) {
  const [search, setSearch] = useSearchParams()
  const range = readRange(search)
  const key = JSON.stringify(range)
  // Fixed while it is looked at: a range that moves would be another question at each drawing.
  const { now, startDate, endDate } = useMemo(() => {
    const at = Date.now()
    return { now: at, ...boundsOf(range, at) }
  }, [key])
  const query = useQuery(Predictions, { runtimeId, versionName, startDate, endDate })
  return (
    <section className="stack-tight" aria-label={t.predictions.title}>
      <PredictionRangeForm
        range={range}
        onChange={(next) => setSearch((before) => withRange(before, next), { replace: true })}
      />
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
      <Twin text={metricsCommand(runtimeId, versionName, range, now)} />
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
