import { t } from '../texts/en.ts'
import {
  errorsText,
  hasErrors,
  hasQueue,
  isPast,
  queuedText,
  rateText,
  timeTexts,
} from './figure-texts.ts'
import { LiveText } from './live-text.tsx'
import { useFigure } from './use-traffic.ts'

/** What can be measured of each kind of thing. */
const TIMES = {
  entrypoint: ['duration', 'overhead'],
  node: ['transport', 'queue', 'handler'],
  edge: ['transport'],
} as const

type FigureTableProps = { figure: string; kind: keyof typeof TIMES }

/** Figures of the last five seconds, as they come. */
export function FigureTable({ figure, kind }: FigureTableProps) {
  const past = useFigure(figure, isPast) ? 'is-past' : ''
  const isBad = useFigure(figure, hasErrors)
  const isWaiting = useFigure(figure, hasQueue)
  return (
    <table className="figures">
      <tbody>
        <tr>
          <th scope="row">{t.graph.rate}</th>
          <td colSpan={2}>
            <LiveText figure={figure} read={rateText} />
          </td>
        </tr>
        <tr>
          <th scope="row">{t.graph.errors}</th>
          <td colSpan={2} className={isBad ? 'bad' : ''}>
            <LiveText figure={figure} read={errorsText} />
          </td>
        </tr>
        {kind === 'node' && (
          <tr>
            <th scope="row">{t.graph.queuedNow}</th>
            <td colSpan={2} className={isWaiting ? 'warn' : ''}>
              <LiveText figure={figure} read={queuedText} />
            </td>
          </tr>
        )}
        <tr>
          <td />
          <th scope="col">p50</th>
          <th scope="col">p99</th>
        </tr>
        {TIMES[kind].map((time) => (
          <tr key={time} className={past}>
            <th scope="row">{t.graph[time]}</th>
            <td>
              <LiveText figure={figure} read={timeTexts[time].p50} />
            </td>
            <td>
              <LiveText figure={figure} read={timeTexts[time].p99} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
