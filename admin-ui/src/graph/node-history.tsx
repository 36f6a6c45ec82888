import { useMemo, useRef } from 'react'
import { useQuery } from '../api/use-query.ts'
import { TrafficHistory } from '../gen/documents.ts'
import { t } from '../texts/en.ts'
import { ErrorNote } from '../ui/error-note.tsx'
import { formatMs, formatRate } from '../ui/format.ts'
import { useMinute } from '../ui/use-minute.ts'
import { ENTRYPOINT_ID } from './graph-model.ts'
import { historyOf, type History } from './history.ts'

const MINUTES = 30
const STEP_S = 60
/** Of the drawing, in its own units. */
const WIDTH = 300
const HEIGHT = 60

type NodeHistoryProps = {
  runtimeId: string
  versionName: string
  workflowId: string
  nodeId: string
}

/** The last half hour of a node, or of the whole workflow at its entrypoint. */
export function NodeHistory({ runtimeId, versionName, workflowId, nodeId }: NodeHistoryProps) {
  const minute = useMinute()
  const query = useQuery(TrafficHistory, {
    runtimeId,
    versionName,
    from: new Date((minute + 1 - MINUTES) * 60_000).toISOString(),
    to: new Date((minute + 1) * 60_000).toISOString(),
    step: STEP_S,
  })
  // Another minute is another question: until it is answered the last answer is shown.
  const last = useRef(query.data?.traffic)
  last.current = query.data?.traffic ?? last.current
  const traffic = last.current
  const history = useMemo(() => {
    if (traffic === undefined) return null
    const points =
      nodeId === ENTRYPOINT_ID
        ? traffic.workflows.find((one) => one.workflowId === workflowId)?.points
        : traffic.nodes.find((one) => one.nodeId === nodeId)?.points
    const { startDate, endDate, step } = traffic
    return historyOf(points ?? [], { startDate, endDate, stepS: step })
  }, [traffic, workflowId, nodeId])
  return (
    <div>
      <h3>{t.graph.history(MINUTES)}</h3>
      {query.error !== null && <ErrorNote error={query.error} />}
      {history !== null &&
        (history.bars.length === 0 ? (
          <p className="faint">{t.graph.noHistory}</p>
        ) : (
          <Drawing history={history} />
        ))}
    </div>
  )
}

function Drawing({ history }: { history: History }) {
  const { bars, line, steps, rateMax, p99MaxMs, errors, queuedMax } = history
  const width = WIDTH / steps
  const points = line.map(
    ({ at, height }) => `${(at + 0.5) * width},${HEIGHT - 2 - height * (HEIGHT - 6)}`,
  )
  const summary = t.graph.historySummary({
    rate: formatRate(rateMax),
    p99: formatMs(p99MaxMs),
    errors,
    queued: queuedMax,
  })
  return (
    <figure className="history">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={summary}
      >
        {bars.map(({ at, calls, errors: failed }) => (
          <g key={at}>
            <rect
              className="history-calls"
              x={at * width + 0.5}
              width={width - 1}
              y={HEIGHT - calls * HEIGHT}
              height={calls * HEIGHT}
            />
            <rect
              className="history-errors"
              x={at * width + 0.5}
              width={width - 1}
              y={HEIGHT - failed * HEIGHT}
              height={failed * HEIGHT}
            />
          </g>
        ))}
        <polyline className="history-p99" points={points.join(' ')} />
      </svg>
      <figcaption>{summary}</figcaption>
    </figure>
  )
}
