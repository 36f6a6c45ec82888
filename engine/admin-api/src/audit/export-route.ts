import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as breathe } from 'node:timers/promises'
import { KreError } from '@kre/contracts'
import type { AuditLink, Store } from '@kre/store'
import type { FeatureDeps } from '../context.ts'
import type { Route } from '../http/exchange.ts'
import { hasSameRights } from '../principal.ts'
import { selectActivities, type ActivitySelection } from './activity-filters.ts'
import { auditedRuntimes } from './visible-runtimes.ts'

const PAGE_LINKS = 200

/**
 * `GET /api/v1/audit/export`: the log as JSON lines, oldest first, each link as it is in the chain with its body as
 * `record`; last a line with the head. When retention has removed links, the first line says up to which. `fromDate`, `toDate`, `userEmail`, `types`, `runtimeIds`, `versionIds` narrow it
 * as in `userActivityList`, lists with commas.
 *
 * Memory does not grow with the log. Managers get the links of their runtimes, and no head.
 */
export function createAuditExportRoute(
  deps: Pick<FeatureDeps, 'audit' | 'runtimes' | 'currentPrincipal'>,
): Route {
  return {
    method: 'GET',
    path: '/api/v1/audit/export',
    access: 'signed-in',
    async handle({ res, url, principal, signal }) {
      const { query } = selectActivities(filtersOf(url.searchParams))
      const visible = await auditedRuntimes(deps, principal)
      res.writeHead(200, {
        'Content-Type': 'application/x-ndjson; charset=utf-8',
        'Content-Disposition': 'attachment; filename="audit.jsonl"',
      })
      const isAsBefore = async () => {
        const current = await deps.currentPrincipal(principal)
        return current !== null && hasSameRights(current, principal)
      }
      await pipeline(Readable.from(lines(deps, { query, visible, isAsBefore })), res, { signal })
    },
  }
}

const LISTS: ReadonlySet<string> = new Set(['types', 'runtimeIds', 'versionIds'])

function filtersOf(params: URLSearchParams): Record<string, unknown> {
  const entries = [...params].map(([name, value]) => [
    name,
    LISTS.has(name) ? value.split(',') : value,
  ])
  return Object.fromEntries(entries) as Record<string, unknown>
}

type Selection = {
  query: ActivitySelection['query']
  visible: string[] | null
  /** Whether the reader may still see what it might when it began. */
  isAsBefore: () => Promise<boolean>
}

async function* lines(
  { audit }: Pick<Store, 'audit'>,
  { query, visible, isAsBefore }: Selection,
): AsyncGenerator<string, void> {
  const anchor = visible === null ? await audit.anchor() : null
  if (anchor !== null)
    yield `${JSON.stringify({ removedThrough: { seq: anchor.seq, hash: anchor.hash } })}\n`
  let last: AuditLink | undefined
  for (let from = Number.MIN_SAFE_INTEGER; ; from = last.seq + 1) {
    const page = await audit.read(from, PAGE_LINKS)
    last = page.at(-1)
    if (last === undefined) break
    const chosen = page.filter((link) => isChosen(link, query, visible))
    if (chosen.length > 0) yield chosen.map((link) => `${toLine(link)}\n`).join('')
    await breathe()
    if (!(await isAsBefore()))
      throw new KreError('permission-denied', 'your rights changed meanwhile: export it again')
  }
  const head = visible === null ? await audit.head() : null
  if (head !== null) yield `${JSON.stringify({ head: { seq: head.seq, hash: head.hash } })}\n`
}

function isChosen(
  link: AuditLink,
  query: ActivitySelection['query'],
  visible: string[] | null,
): boolean {
  const among = (value: string | null, values: readonly string[] | undefined): boolean =>
    values === undefined || (value !== null && values.includes(value))
  return (
    among(link.runtimeId, visible ?? undefined) &&
    among(link.runtimeId, query.runtimeIds) &&
    among(link.versionId, query.versionIds) &&
    among(link.type, query.types) &&
    (query.actor === undefined || link.actor === query.actor) &&
    (query.from === undefined || link.at >= query.from) &&
    (query.to === undefined || link.at <= query.to)
  )
}

/** A body that is no JSON any more is exported as the text it is. */
function toLine({ body, ...link }: AuditLink): string {
  return JSON.stringify({ ...link, at: link.at.toISOString(), ...parsed(body) })
}

function parsed(body: string): { record: unknown } | { body: string } {
  try {
    return { record: JSON.parse(body) as unknown }
  } catch {
    // Changed by somebody: that is what an export is to show.
    return { body }
  }
}
