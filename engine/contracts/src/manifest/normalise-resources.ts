import type { DocumentPath } from './document-path.ts'
import type { GraphNode } from './graph.ts'
import type { Report } from './issue-collector.ts'
import { parseQuantity } from './quantity.ts'
import type { NodeDraft } from './schema.ts'

type Place = { path: DocumentPath; subject: string; report: Report }
type Kind = 'cpu' | 'memory'

export function normaliseResources(
  resources: NodeDraft['resources'],
  place: Place,
): GraphNode['resources'] {
  return {
    cpuMillis: normaliseRange('cpu', resources?.cpu, place),
    memoryBytes: normaliseRange('memory', resources?.memory, place),
  }
}

/** What only one of request and limit says holds for both. */
function normaliseRange(
  kind: Kind,
  range: { request?: string | number | undefined; limit?: string | number | undefined } | undefined,
  { path, subject, report }: Place,
): { request: number; limit: number } | null {
  const read = (field: 'request' | 'limit'): number | null => {
    const written = range?.[field]
    if (written === undefined) return null
    const amount = parseQuantity(String(written), kind === 'cpu' ? 'milli' : 'one')
    if (amount === null) {
      report.add({
        code: 'RESOURCES_INVALID',
        path: [...path, 'resources', kind, field],
        message: `${subject}resources.${kind}.${field} "${String(written).slice(0, 40)}" is no quantity above 0`,
        hint: kind === 'cpu' ? 'write for example 250m or 1.5' : 'write for example 512Mi or 1Gi',
      })
    }
    return amount
  }
  const [request, limit] = [read('request'), read('limit')]
  if (request !== null && limit !== null && limit < request) {
    report.add({
      code: 'RESOURCES_INVALID',
      path: [...path, 'resources', kind, 'limit'],
      message: `${subject}resources.${kind}.limit ${range?.limit} is below the request ${range?.request}`,
      hint: 'raise the limit, or leave it out',
    })
  }
  const either = request ?? limit
  return either === null ? null : { request: request ?? either, limit: limit ?? either }
}
