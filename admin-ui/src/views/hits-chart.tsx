import type { PredictionsResult } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { formatMoment, zone } from '../ui/moment.tsx'
import { useStore } from '../ui/store.ts'

type Points = NonNullable<PredictionsResult['metrics']>['charts']['successVsFails']

const WIDTH = 100
const HEIGHT = 30

/** Hits and misses over time as stacked bars; each bar's numbers are told on hovering, and to readers of screens. */
export function HitsChart({ points }: { points: Points }) {
  const shownZone = useStore(zone)
  const bars = points.map(({ x, y, z }) => ({ at: x, hits: Number(y), misses: Number(z) }))
  const most = Math.max(1, ...bars.map(({ hits, misses }) => hits + misses))
  const step = WIDTH / Math.max(bars.length, 12)
  return (
    <figure className="chart">
      <figcaption>{t.predictions.overTime}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
        <title>{t.predictions.overTime}</title>
        {bars.map(({ at, hits, misses }, index) => {
          const hitsHigh = (hits / most) * HEIGHT
          const missesHigh = (misses / most) * HEIGHT
          return (
            <g key={at}>
              <title>
                {t.predictions.bar(formatMoment(at, shownZone, 'minutes'), hits, misses)}
              </title>
              <rect
                className="bar-hits"
                x={index * step}
                y={HEIGHT - hitsHigh}
                width={step * 0.8}
                height={hitsHigh}
              />
              <rect
                className="bar-misses"
                x={index * step}
                y={HEIGHT - hitsHigh - missesHigh}
                width={step * 0.8}
                height={missesHigh}
              />
            </g>
          )
        })}
      </svg>
      <p className="legend">
        <span>
          <i className="swatch bar-hits" aria-hidden="true" /> {t.predictions.hits}
        </span>
        <span>
          <i className="swatch bar-misses" aria-hidden="true" /> {t.predictions.misses}
        </span>
      </p>
    </figure>
  )
}
