import { useState } from 'react'
import { Link } from 'wouter'
import type { LogLine, VersionFacts } from '../gen/documents.ts'
import { apiUrl } from '../api/app-base.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Moment } from '../ui/moment.tsx'
import { Loading } from '../ui/query-view.tsx'
import { useChoices } from '../ui/use-choices.ts'
import { LogFilterBar } from './log-filter-bar.tsx'
import { readLogFilter, toApiFilters, type LogFilter } from './log-filter.ts'
import { LogList } from './log-list.tsx'
import { useLogs } from './use-logs.ts'

type LogsTabProps = { runtimeId: string; versionName: string; version: VersionFacts }

/** The log of a version, live; its filters stand in the address. */
export function LogsTab({ runtimeId, versionName, version }: LogsTabProps) {
  const [search, set] = useChoices()
  const filter = readLogFilter(search)
  const logs = useLogs(runtimeId, versionName, filter)
  const [isFollowing, setFollowing] = useState(true)
  const [selected, setSelected] = useState<LogLine | null>(null)
  return (
    <section aria-label={t.logs.title}>
      <LogFilterBar filter={filter} version={version} onChange={set} />
      {logs.error !== null && <ErrorNote error={logs.error} />}
      {logs.isLoading && logs.lines.length === 0 ? (
        <Loading />
      ) : logs.lines.length === 0 ? (
        <p className="face">{t.logs.empty}</p>
      ) : (
        <LogList
          lines={logs.lines}
          isFollowing={isFollowing}
          onFollow={setFollowing}
          onReachTop={logs.loadOlder}
          selected={selected?.id ?? null}
          onSelect={setSelected}
        />
      )}
      <div className="toolbar">
        <span role="status">{t.logs.count(logs.lines.length, logs.hasOlder)}</span>
        {!isFollowing && <Button onClick={() => setFollowing(true)}>{t.logs.follow}</Button>}
        {isFollowing && <span className="faint">{t.logs.following}</span>}
        <a className="button" href={downloadUrl(runtimeId, versionName, filter)} download>
          {t.logs.download}
        </a>
      </div>
      {selected !== null && (
        <LineDetails
          line={selected}
          place={{ runtimeId, versionName }}
          onClose={() => setSelected(null)}
        />
      )}
    </section>
  )
}

type LineDetailsProps = {
  line: LogLine
  place: { runtimeId: string; versionName: string }
  onClose: () => void
}

/** The whole of one line. */
function LineDetails({ line, place, onClose }: LineDetailsProps) {
  const { runtimeId, versionName } = place
  return (
    <aside className="line-details" aria-label={t.logs.line}>
      <div className="details-head">
        <p>
          <Moment at={line.date} seconds /> · {line.level} · {line.workflowName} {line.nodeName}
        </p>
        <span className="row">
          <CopyButton text={line.message} />
          <Button kind="quiet" onClick={onClose}>
            {t.common.close}
          </Button>
        </span>
      </div>
      <pre>{line.message}</pre>
      {line.requestId !== null && (
        <p className="row">
          {t.requests.id} <code>{line.requestId}</code>
          <Link href={paths.logs(runtimeId, versionName, { request: line.requestId })}>
            {t.logs.ofRequest}
          </Link>
          <Link href={paths.request(runtimeId, versionName, line.requestId)}>
            {t.logs.waterfall}
          </Link>
        </p>
      )}
    </aside>
  )
}

function downloadUrl(runtimeId: string, versionName: string, filter: LogFilter): string {
  const filters = toApiFilters(filter, versionName, Date.now())
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filters))
    for (const one of [value].flat())
      if (one !== null && one !== undefined) query.append(name, String(one))
  return apiUrl(`api/v1/runtimes/${encodeURIComponent(runtimeId)}/logs?${query}`)
}
