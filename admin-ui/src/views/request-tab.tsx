import { Link } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import { RequestWaterfall } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { RequestMessages } from '../requests-parts/request-messages.tsx'
import { useLateSteps } from '../requests-parts/use-late-steps.ts'
import { CopyButton } from '../ui/code.tsx'
import { formatBytes, formatMs } from '../ui/format.ts'
import { Moment } from '../ui/moment.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { TableFrame } from '../ui/table-frame.tsx'
import { waterfallOf, type Bar, type KeptRequest } from './waterfall.ts'

type RequestTabProps = { runtimeId: string; versionName: string; id: string }

/** One request over its nodes: where its time went. */
export function RequestTab({ runtimeId, versionName, id }: RequestTabProps) {
  const query = useQuery(RequestWaterfall, { runtimeId, id })
  const isLate = useLateSteps(query.data?.request, query.refresh)
  return (
    <QueryView query={query}>
      {({ request }) =>
        request === null ? (
          <Face title={t.requests.goneTitle} text={t.requests.gone} />
        ) : (
          <section className="stack">
            <h2>{t.requests.one}</h2>
            <Facts request={request} />
            {isLate ? (
              <p className="faint">{t.tryIt.lookingForSteps}</p>
            ) : (
              <>
                <Waterfall request={request} />
                <RequestMessages runtimeId={runtimeId} versionName={versionName} id={id} />
              </>
            )}
            <p className="row">
              <Link href={paths.logs(runtimeId, versionName, { request: id })}>
                {t.requests.logs}
              </Link>
              <Link href={paths.requests(runtimeId, versionName)}>{t.requests.back}</Link>
            </p>
          </section>
        )
      }
    </QueryView>
  )
}

function Facts({ request }: { request: KeptRequest }) {
  return (
    <dl className="pairs">
      <dt>{t.requests.id}</dt>
      <dd>
        <code>{request.id}</code> <CopyButton text={request.id} />
      </dd>
      <dt>{t.requests.when}</dt>
      <dd>
        <Moment at={request.startDate} seconds />
      </dd>
      <dt>{t.requests.outcome}</dt>
      <dd>
        <span className={request.status === 'OK' ? '' : 'bad'}>{request.status}</span>{' '}
        {request.message}
      </dd>
      <dt>{t.requests.took}</dt>
      <dd>
        {formatMs(request.elapsedMs)}{' '}
        {t.requests.split(formatMs(request.handlerMs), formatMs(request.overheadMs))}
      </dd>
      <dt>{t.requests.size}</dt>
      <dd>{formatBytes(request.requestBytes)}</dd>
      {request.attempts > 1 && (
        <>
          <dt>{t.requests.attempts}</dt>
          <dd>{request.attempts}</dd>
        </>
      )}
    </dl>
  )
}

/** A table whose last column draws the times that the others name. */
function Waterfall({ request }: { request: KeptRequest }) {
  const { bars, wholeMs } = waterfallOf(request)
  if (bars.length === 0) return <p className="faint">{t.requests.noSteps}</p>
  return (
    <TableFrame label={t.requests.waterfall}>
      <table className="waterfall">
        <caption className="hidden-text">{t.requests.waterfall}</caption>
        <thead>
          <tr>
            <th scope="col">{t.graph.node}</th>
            <th scope="col" className="number">
              {t.graph.transport}
            </th>
            <th scope="col" className="number">
              {t.graph.queue}
            </th>
            <th scope="col" className="number">
              {t.graph.handler}
            </th>
            <th scope="col" className="wide">
              <span className="scale">
                <span>0</span>
                <span>{formatMs(wholeMs)}</span>
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar, index) => (
            <Row key={index} bar={bar} />
          ))}
        </tbody>
      </table>
      <p className="legend">
        {(['transport', 'queue', 'handler'] as const).map((kind) => (
          <span key={kind}>
            <i className={`swatch bar-${kind}`} aria-hidden="true" /> {t.graph[kind]}
          </span>
        ))}
      </p>
    </TableFrame>
  )
}

function Row({ bar: { step, segments } }: { bar: Bar }) {
  return (
    <tr>
      <th scope="row">
        {step.nodeId}
        <p className="faint">
          {t.requests.from(step.fromNodeId)}
          {step.attempt > 1 && ` · ${t.requests.attempt(step.attempt)}`}
          {!step.ok && <span className="bad"> · {t.requests.handlerFailed}</span>}
        </p>
      </th>
      <td className="number">{formatMs(step.transportMs)}</td>
      <td className="number">{formatMs(step.queueMs)}</td>
      <td className="number">{formatMs(step.handlerMs)}</td>
      <td>
        <svg className="bars" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
          {segments.map(({ kind, from, to }) => (
            <rect
              key={kind}
              className={`bar-${kind}`}
              x={from * 100}
              width={Math.max((to - from) * 100, 0.3)}
              y={1}
              height={8}
            />
          ))}
        </svg>
      </td>
    </tr>
  )
}
