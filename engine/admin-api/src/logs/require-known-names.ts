import { ENTRYPOINT, KreError } from '@kre/contracts'
import type { Version } from '@kre/store'
import { quoted } from '../text.ts'
import { parseNodeId, type LogFilters } from './log-filters.ts'

/** Names that a message repeats; the others are counted. */
const NAMED_MAX = 20

type Names = Pick<LogFilters, 'versionsIds' | 'workflowsNames' | 'nodeIds'>

/**
 * Refuses workflows and nodes that none of the versions has which the filters are about. Most such names are slips, and
 * would find nothing without a word.
 *
 * @param versions of the runtime, or those that the filters name. Lines outlive their version: where one of those named is gone,
 *   or there is none at all, every name may be right.
 * @throws KreError `not-found` that says which names there are.
 */
export function requireKnownNames(filters: Names, versions: readonly Version[]): void {
  const meant = versionsMeant(filters, versions)
  const workflows = meant.flatMap(({ facts }) => facts.manifest.workflows)
  if (workflows.length === 0) return
  const [first] = meant
  const whose =
    meant.length === 1 ? `version ${quoted(first?.name ?? '')}` : 'no version of this runtime'
  const none = meant.length === 1 ? 'has no' : 'has a'
  for (const wanted of filters.workflowsNames ?? [])
    if (!workflows.some(({ id, name }) => id === wanted || name === wanted))
      throw unknown(
        'workflowsNames',
        `${whose} ${none} workflow ${quoted(wanted)}`,
        workflows.map(({ name }) => name),
      )
  for (const wanted of filters.nodeIds ?? []) {
    const { workflow, node } = parseNodeId(wanted)
    const isThere =
      node === ENTRYPOINT ||
      workflows.some(
        ({ id, nodes }) =>
          (workflow === null || id === workflow) && nodes.some((one) => one.id === node),
      )
    if (isThere) continue
    const nodes = workflows.flatMap((one) => one.nodes.map(({ id }) => `${one.id}.${id}`))
    throw unknown('nodeIds', `${whose} ${none} node ${quoted(wanted)}`, [...nodes, ENTRYPOINT])
  }
}

function versionsMeant({ versionsIds }: Names, versions: readonly Version[]): readonly Version[] {
  if (versionsIds === undefined) return versions
  const found = versionsIds.map((wanted) =>
    versions.find(({ id, name }) => id === wanted || name === wanted),
  )
  const there = found.filter((version) => version !== undefined)
  return there.length === found.length ? there : []
}

function unknown(field: string, what: string, names: readonly string[]): KreError {
  const known = [...new Set(names)]
  const said = known.slice(0, NAMED_MAX).map(quoted).join(', ')
  const more = known.length > NAMED_MAX ? ` and ${known.length - NAMED_MAX} more` : ''
  return new KreError('not-found', `filters.${field}: ${what}; there are: ${said}${more}`, {
    field,
  })
}
