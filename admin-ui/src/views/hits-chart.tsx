import type { PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { formatMoment, zone } from '../ui/moment.tsx'
import { useStore } from '../ui/store.ts'

type Points = NonNullable<PredictionsResult['metrics']>['charts']['successVsFails']

const WIDTH = 100
const HEIGHT = 30
/** With fewer, each would be as wide as a page. */
const BARS_MIN = 12
/** Share of its place that a bar fills. */
const FILLED = 0.8

/** Hits and misses over time as stacked bars; each bar's numbers are told on hovering, and to readers of screens. */
export function HitsChart({ points }: { points: Points }) {
  const shownZone = useStore(zone)
  const bars = points.map(({ x, y, z }) => ({ at: x, hits: Number(y), misses: Number(z) }))
  const most = Math.max(1, ...bars.map(({ hits, misses }) => hits + misses))
  const step = WIDTH / Math.max(bars.length, BARS_MIN)
  const [first, last] = [bars[0], bars.at(-1)]
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
          {bars.map(({ at, hits, misses }, index) => {
            const hitsHigh = (hits / most) * HEIGHT
            const missesHigh = (misses / most) * HEIGHT
            const place = { x: index * step, width: step * FILLED }
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
        {first !== undefined && last !== undefined && (
          <div className="chart-times" aria-hidden="true">
            <span>{formatMoment(first.at, shownZone, 'minutes')}</span>
            {bars.length >= BARS_MIN && <span>{formatMoment(last.at, shownZone, 'minutes')}</span>}
          </div>
        )}
      </div>
    </figure>
  )
}
