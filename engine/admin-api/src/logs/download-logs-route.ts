import { once } from 'node:events'
import { ENTRYPOINT, KreError, type LogRecord } from '@kre/contracts'
import { whileAllowed } from '../access/while-allowed.ts'
import type { LogPage } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import type { Exchange, Route } from '../http/exchange.ts'
import { visibleText } from '../audit/visible-text.ts'
import { authorize } from '../principal.ts'
import { requireRuntime } from '../versions/version-state.ts'
import { nodeIdOf, parseLogFilters, selectLogs } from './log-filters.ts'
import { explainNothing } from './query-logs.ts'
import { indentedMessage, logDate, visibleMessage } from './visible-message.ts'

const PAGE_ITEMS = 500
/** Of a node's or a request's name on a line. */
const NAME_CHARS_MAX = 200

/** How a line is written, by the `format` of the query. */
const FORMATS: Readonly<
  Record<string, { contentType: string; extension: string; line: (record: LogRecord) => string }>
> = {
  text: { contentType: 'text/plain; charset=utf-8', extension: 'log', line: textLine },
  jsonl: {
    contentType: 'application/jsonl; charset=utf-8',
    extension: 'jsonl',
    line: (record) => `${JSON.stringify(toJson(record))}\n`,
  },
}

/** Parameters that may be given again, each for one value more. */
const LISTS = ['levels', 'nodeIds', 'versionsIds', 'workflowsNames'] as const
const SINGLES = ['startDate', 'endDate', 'search', 'requestId'] as const

/**
 * `GET /api/v1/runtimes/{id}/logs?startDate=…&format=text|jsonl`: the lines that `logs` finds by the same filters,
 * oldest first, as a file. Memory stays the same whatever its size: one page is on its way at a time.
 */
export function createDownloadLogsRoute(
  deps: Pick<FeatureDeps, 'runtimes' | 'versions' | 'outputs' | 'now' | 'currentPrincipal'>,
): Route {
  return {
    method: 'GET',
    path: '/api/v1/runtimes/:id/logs',
    access: 'signed-in',
    async handle({ res, url, params, principal, signal }) {
      const runtimeId = params['id'] ?? ''
      authorize(principal, 'view logs', runtimeId)
      const format = FORMATS[url.searchParams.get('format') ?? 'text']
      if (format === undefined)
        throw new KreError('invalid-argument', 'format: is text or jsonl', { field: 'format' })
      const filters = parseLogFilters(filtersOf(url.searchParams))
      await requireRuntime(deps, runtimeId)
      const versions = await deps.versions.list(runtimeId)
      const selection = selectLogs(runtimeId, filters, versions)
      const query = {
        ...selection.query,
        from: filters.startDate,
        // Lines that are written meanwhile would keep it going for ever.
        to: filters.endDate ?? deps.now(),
        limit: PAGE_ITEMS,
        order: 'oldest-first',
      } as const
      const page = await deps.outputs.logs(query)
      if (page.items.length === 0) await explainNothing(deps, runtimeId, filters, versions)
      res.writeHead(200, {
        'Content-Type': format.contentType,
        'Content-Disposition': `attachment; filename="${runtimeId}.${format.extension}"`,
      })
      const pages = whileAllowed(
        deps,
        { principal, action: 'view logs', runtimeId },
        pagesFrom(page, (cursor) => deps.outputs.logs({ ...query, cursor })),
        0,
      )
      for await (const { items } of pages) {
        const lines = items.filter(selection.matches).map(format.line)
        if (lines.length > 0) await write(res, lines.join(''), signal)
        if (signal.aborted) break
      }
      res.end()
    },
  }
}

async function* pagesFrom(
  first: LogPage,
  next: (cursor: string) => Promise<LogPage>,
): AsyncGenerator<LogPage, void> {
  let page = first
  for (;;) {
    yield page
    if (page.cursor === null) return
    page = await next(page.cursor)
  }
}

function filtersOf(query: URLSearchParams): Record<string, unknown> {
  const filters: Record<string, unknown> = {}
  for (const name of SINGLES) if (query.has(name)) filters[name] = query.get(name)
  for (const name of LISTS) if (query.has(name)) filters[name] = query.getAll(name)
  return filters
}

/** Waits while the client reads more slowly than the store. */
async function write(res: Exchange['res'], text: string, signal: AbortSignal): Promise<void> {
  if (res.write(text)) return
  await once(res, 'drain', { signal })
}

function textLine(record: LogRecord): string {
  const request =
    record.requestId === null ? '' : ` [${visibleText(record.requestId, NAME_CHARS_MAX)}]`
  const node = visibleText(nodeIdOf(record), NAME_CHARS_MAX)
  return `${logDate(record)} ${record.level.padEnd(5)} ${record.version} ${node}${request} ${indentedMessage(record.message)}\n`
}

function toJson(record: LogRecord): Record<string, unknown> {
  const { id, level, version, workflow, workflowName, requestId } = record
  return {
    id,
    date: logDate(record),
    level,
    version,
    workflow,
    workflowName,
    nodeId: nodeIdOf(record),
    nodeName: record.nodeName ?? record.node ?? ENTRYPOINT,
    requestId,
    message: visibleMessage(record.message),
  }
}
