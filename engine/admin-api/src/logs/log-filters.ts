import { ENTRYPOINT, KreError, LOG_LEVELS } from '@kre/contracts'
import type { LogRecord } from '@kre/contracts'
import type { LogQuery, Version } from '@kre/store'
import { z } from 'zod'
import { quoted } from '../text.ts'

/** Entries of one list of a filter; more than a screen can show is a mistake. */
const LIST_MAX = 200
const TEXT_CHARS_MAX = 500

const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .max(LIST_MAX)
    .nullish()
    // KRE's clients send empty lists for "all".
    .transform((items) => (items === null || items?.length === 0 ? undefined : items))
const text = z.string().max(TEXT_CHARS_MAX)
const optionalText = text
  .nullish()
  .transform((value) => (value === '' || value === null ? undefined : value))
const moment = z.iso
  .datetime({ offset: true, error: 'use a date as in 2026-01-31T12:00:00Z' })
  .transform((value) => new Date(value))

/** Filters as GraphQL sends them. */
export const LogFilters = z.object({
  startDate: moment,
  endDate: moment.nullish().transform((value) => value ?? undefined),
  search: optionalText,
  levels: list(z.enum(LOG_LEVELS)),
  nodeIds: list(text),
  versionsIds: list(text),
  workflowsNames: list(text),
  requestId: optionalText,
})
export type LogFilters = z.output<typeof LogFilters>

/** @throws KreError `invalid-argument` with the field and its rule. */
export function parseLogFilters(input: unknown): LogFilters {
  const parsed = LogFilters.safeParse(input)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.') ?? 'filters'
  throw new KreError('invalid-argument', `filters.${field}: ${issue?.message ?? 'not legal'}`, {
    field,
  })
}

export type LogSelection = {
  readonly query: Pick<
    LogQuery,
    'runtimeId' | 'versions' | 'workflows' | 'nodes' | 'levels' | 'search' | 'requestId'
  >
  /** What the query can't say: pairs of workflow and node. Every record has to pass. */
  readonly matches: (record: LogRecord) => boolean
}

/** Translates ids and names of the API into the store's words. Names that match nothing select nothing: `requireKnownNames`. */
export function selectLogs(
  runtimeId: string,
  filters: LogFilters,
  versions: readonly Version[],
): LogSelection {
  const names = filters.versionsIds?.map(
    (id) => versions.find((version) => version.id === id)?.name ?? id,
  )
  const workflows = filters.workflowsNames?.flatMap((name) => workflowIds(name, versions))
  const nodes = filters.nodeIds?.map(parseNodeId)
  // Lines of an entrypoint have no node, so the store can't be asked for them together with nodes.
  const nodesInQuery = nodes?.every(({ node }) => node !== ENTRYPOINT) === true
  return {
    query: {
      runtimeId,
      ...(names === undefined ? {} : { versions: names }),
      ...(workflows === undefined ? {} : { workflows }),
      ...(nodesInQuery ? { nodes: [...new Set(nodes?.map(({ node }) => node))] } : {}),
      ...(filters.levels === undefined ? {} : { levels: filters.levels }),
      ...(filters.search === undefined ? {} : { search: filters.search }),
      ...(filters.requestId === undefined ? {} : { requestId: filters.requestId }),
    },
    matches: (record) =>
      nodes === undefined ||
      nodes.some(
        ({ workflow, node }) =>
          node === (record.node ?? ENTRYPOINT) &&
          (workflow === null || workflow === record.workflow),
      ),
  }
}

/** Whether a store would find the record by the query; its versions aside, which the caller has chosen. */
export function matchesQuery(
  query: LogSelection['query'] & { readonly from?: Date; readonly to?: Date | undefined },
  record: LogRecord,
): boolean {
  const { workflows, nodes, levels, requestId, search, from, to } = query
  const dateMs = Date.parse(record.date)
  const among = (values: readonly (string | null)[] | undefined, value: string | null): boolean =>
    values === undefined || values.includes(value)
  return (
    among(workflows, record.workflow) &&
    among(nodes, record.node) &&
    among(levels, record.level) &&
    (requestId === undefined || record.requestId === requestId) &&
    (search === undefined || record.message.toLowerCase().includes(search.toLowerCase())) &&
    (from === undefined || dateMs >= from.getTime()) &&
    (to === undefined || dateMs <= to.getTime())
  )
}

/** `Node.id` of a record: `<workflow>.<node>`, or `entrypoint`. */
export function nodeIdOf(record: Pick<LogRecord, 'workflow' | 'node'>): string {
  return record.node === null ? ENTRYPOINT : `${record.workflow ?? ''}.${record.node}`
}

/** `<workflow>.<node>`, or a bare node id. @throws KreError `invalid-argument`. */
export function parseNodeId(id: string): { workflow: string | null; node: string } {
  const [workflow, node, ...rest] = id.split('.')
  if (workflow === undefined || workflow === '' || node === '' || rest.length > 0)
    throw new KreError('invalid-argument', `filters.nodeIds: ${quoted(id)} is not a node id`, {
      field: 'nodeIds',
    })
  return node === undefined ? { workflow: null, node: workflow } : { workflow, node }
}

/** Ids of the workflows that are called `name` in any version; the name itself when none is. */
function workflowIds(name: string, versions: readonly Version[]): string[] {
  const ids = versions.flatMap((version) =>
    version.facts.manifest.workflows
      .filter((workflow) => workflow.name === name || workflow.id === name)
      .map((workflow) => workflow.id),
  )
  return ids.length === 0 ? [name] : [...new Set(ids)]
}
