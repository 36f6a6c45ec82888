import type { PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { formatMoment, zone } from '../ui/moment.tsx'
import { useStore } from '../ui/store.ts'

type Points = NonNullable<PredictionsResult['metrics']>['charts']['successVsFails']
type HitsChartProps = {
  points: Points
  /** What was asked for. */
  from: string
  to: string
}

const HEIGHT = 30
const WIDTH = 100
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Up to there the engine counts by the hour, beyond by the day. */
const HOURLY_MS_MAX = 7 * DAY_MS
/** Share of its place that a bar fills. */
const FILLED = 0.85

/** Hits and misses over time as stacked bars; each bar's numbers are told on hovering, and to readers of screens. */
export function HitsChart({ points, from, to }: HitsChartProps) {
  const shownZone = useStore(zone)
  const bars = points.map(({ x, y, z }) => ({ at: x, hits: Number(y), misses: Number(z) }))
  const most = Math.max(1, ...bars.map(({ hits, misses }) => hits + misses))
  const asked = Date.parse(to) - Date.parse(from)
  const bucket = asked <= HOURLY_MS_MAX ? HOUR_MS : DAY_MS
  const first = Math.floor(Date.parse(from) / bucket) * bucket
  const end = Math.ceil(Date.parse(to) / bucket) * bucket
  const width = (WIDTH * bucket) / (end - first)
  return (
    <figure className="chart panel">
      <figcaption className="chart-head">
        <h2>{t.predictions.overTime}</h2>
        <span className="legend">
          {(['hits', 'misses'] as const).map((kind) => (
            <span key={kind}>
              <i className={`swatch bar-${kind}`} aria-hidden="true" /> {t.predictions[kind]}
            </span>
          ))}
        </span>
      </figcaption>
      <div className="chart-frame">
        <div className="chart-scale" aria-hidden="true">
          <span>{most}</span>
          {most % 2 === 0 && <span>{most / 2}</span>}
          <span>0</span>
        </div>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
          <title>{t.predictions.overTime}</title>
          {bars.map(({ at, hits, misses }) => {
            const hitsHigh = (hits / most) * HEIGHT
            const missesHigh = (misses / most) * HEIGHT
            const x = (width * (Date.parse(at) - first)) / bucket
            const place = { x, width: width * FILLED }
            return (
              <g key={at}>
                <title>
                  {t.predictions.bar(formatMoment(at, shownZone, 'minutes'), hits, misses)}
                </title>
                <rect className="bar-hits" {...place} y={HEIGHT - hitsHigh} height={hitsHigh} />
                <rect
                  className="bar-misses"
                  {...place}
                  y={HEIGHT - hitsHigh - missesHigh}
                  height={missesHigh}
                />
              </g>
            )
          })}
        </svg>
        <div className="chart-times" aria-hidden="true">
          {[first, end].map((at) => (
            <span key={at}>{formatMoment(new Date(at).toISOString(), shownZone, 'minutes')}</span>
          ))}
        </div>
      </div>
    </figure>
  )
}
