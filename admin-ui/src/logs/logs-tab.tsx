import '../style/logs.css'
import { useState } from 'react'
import { Link } from 'wouter'
import { apiUrl } from '../api/app-base.ts'
import type { LogLine, VersionFacts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Code } from '../ui/code.tsx'
import { ErrorNote } from '../ui/error-note.tsx'
import { Moment } from '../ui/moment.tsx'
import { Loading } from '../ui/query-view.tsx'
import { useChoices } from '../ui/use-choices.ts'
import { LINES_MAX } from './log-buffer.ts'
import { LineDetails } from './line-details.tsx'
import { LogFilterBar } from './log-filter-bar.tsx'
import { readLogFilter, toApiFilters, type LogFilter } from './log-filter.ts'
import { LogList } from './log-list.tsx'
import { logsCommand } from './logs-command.ts'
import { useLogs } from './use-logs.ts'

type LogsTabProps = { runtimeId: string; versionName: string; version: VersionFacts }

/** The log of a version, live; its filters stand in the address. */
export function LogsTab({ runtimeId, versionName, version }: LogsTabProps) {
  const [search, set] = useChoices()
  const filter = readLogFilter(search)
  // Another place in the log is another list, with nothing of the one before.
  const key = filter.around === null ? 'live' : `${filter.around.date} ${filter.around.id}`
  return (
    <section aria-label={t.logs.title}>
      {filter.around === null ? (
        <LogFilterBar filter={filter} version={version} onChange={set} />
      ) : (
        <div className="toolbar">
          <span>
            {t.logs.aroundTitle} <Moment at={filter.around.date} seconds />
          </span>
          <Link className="button" href={paths.logs(runtimeId, versionName)}>
            {t.logs.backToLive}
          </Link>
        </div>
      )}
      <Lines key={key} runtimeId={runtimeId} versionName={versionName} filter={filter} />
      <p className="twin">
        {t.common.twin} <Code text={logsCommand(runtimeId, versionName, filter)} />
      </p>
    </section>
  )
}

type LinesProps = { runtimeId: string; versionName: string; filter: LogFilter }

function Lines({ runtimeId, versionName, filter }: LinesProps) {
  const logs = useLogs(runtimeId, versionName, filter)
  const isLive = filter.around === null
  const [isFollowing, setFollowing] = useState(isLive)
  /** Undefined = nobody has chosen yet. */
  const [selected, setSelected] = useState<LogLine | null>()
  const anchor = filter.around?.id ?? null
  const atAnchor = logs.lines.find(({ id }) => id === anchor) ?? null
  const shown = selected === undefined ? atAnchor : selected
  return (
    <>
      {logs.error !== null && <ErrorNote error={logs.error} />}
      {logs.missed > 0 && (
        <p className="note row">
          {t.logs.missed(logs.missed)} <Button onClick={logs.reload}>{t.logs.load}</Button>
        </p>
      )}
      {logs.isLoading && logs.lines.length === 0 ? (
        <Loading />
      ) : logs.lines.length === 0 ? (
        <p className="face">{isLive ? t.logs.empty : t.logs.emptyAround}</p>
      ) : (
        <LogList
          lines={logs.lines}
          front={logs.front}
          isFollowing={isFollowing && isLive}
          onFollow={setFollowing}
          onReachTop={() => void logs.loadOlder()}
          anchor={anchor}
          selected={shown?.id ?? null}
          onSelect={setSelected}
          hrefOf={(requestId) => paths.request(runtimeId, versionName, requestId)}
        />
      )}
      <div className="toolbar">
        <span role="status">{t.logs.count(logs.lines.length, logs.hasOlder, LINES_MAX)}</span>
        {isLive && (
          <>
            <Button aria-pressed={logs.isPaused} onClick={() => logs.pause(!logs.isPaused)}>
              {logs.isPaused ? t.logs.resume(logs.waiting) : t.logs.pause}
            </Button>
            {!isFollowing && <Button onClick={() => setFollowing(true)}>{t.logs.follow}</Button>}
            {isFollowing && !logs.isPaused && <span className="faint">{t.logs.following}</span>}
          </>
        )}
        <a className="button" href={downloadUrl(runtimeId, versionName, filter)} download>
          {t.logs.download}
        </a>
      </div>
      {shown !== null && (
        <LineDetails
          line={shown}
          place={{ runtimeId, versionName }}
          onClose={() => setSelected(null)}
        />
      )}
    </>
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
