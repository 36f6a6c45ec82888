/** The two generations of manifests: which one a file is, and which fields belong to the other. */
import type { DocumentPath } from './document-path.ts'
import type { Report } from './issue-collector.ts'
import { nearestName } from './nearest-name.ts'

export const GENERATIONS = ['v1', 'v2'] as const
export type Generation = (typeof GENERATIONS)[number]

/** Fields that exist in the other generation only, by the place of their map (`[]` = any index). */
const FOREIGN_FIELDS: Readonly<Record<Generation, Readonly<Record<string, readonly string[]>>>> = {
  v1: { 'workflows[]': ['exitpoint', 'nodes'], 'nodes[]': ['subscriptions'] },
  v2: { '': ['nodes'], 'workflows[]': ['sequential'] },
}

/** Reads `krtVersion`, or tells the generation by its fields where that is absent or unknown. */
export function readGeneration(root: Record<string, unknown>, report: Report): Generation {
  const written = root['krtVersion']
  const known = GENERATIONS.find((generation) => generation === written)
  if (known !== undefined) return known
  const guess = guessGeneration(root)
  const path = ['krtVersion']
  if (written !== undefined && typeof written !== 'string') {
    const message = '"krtVersion" must be text: v1 or v2'
    report.add({ code: 'FIELD_TYPE', path, message, hint: `write ${guess}` })
  } else if (written !== undefined) {
    const nearest = nearestName(written, GENERATIONS) ?? guess
    const message = `krtVersion "${written.slice(0, 60)}" is unknown; known are v1 and v2`
    report.add({ code: 'KRT_VERSION', path, message, hint: `write ${nearest}` })
  } else if (guess === 'v2' && someWorkflowHas(root, 'nodes')) {
    const message = 'krtVersion is missing; the workflows have nodes, so v2 is assumed'
    report.add({ code: 'KRT_VERSION_ASSUMED', path, message, hint: 'write krtVersion: v2' })
  }
  return guess
}

function guessGeneration(root: Record<string, unknown>): Generation {
  if (someWorkflowHas(root, 'sequential')) return 'v1'
  if (someWorkflowHas(root, 'nodes')) return 'v2'
  return root['nodes'] === undefined ? 'v2' : 'v1'
}

export function isForeignField(generation: Generation, path: DocumentPath): boolean {
  const place = placeOf(path.slice(0, -1))
  return FOREIGN_FIELDS[generation][place]?.includes(String(path.at(-1))) ?? false
}

/** Whether an absent field needs no report, because a field of the other generation stands in its place. */
export function isWaivedByForeignField(
  generation: Generation,
  root: unknown,
  path: DocumentPath,
): boolean {
  const [list, index, field] = path
  if (generation === 'v1' && path.length === 1 && list === 'nodes')
    return someWorkflowHas(root, 'nodes')
  if (list !== 'workflows' || typeof index !== 'number' || path.length !== 3) return false
  const workflow = workflowsOf(root)[index]
  if (generation === 'v1') return field === 'sequential' && hasField(workflow, 'nodes')
  return (field === 'nodes' || field === 'exitpoint') && hasField(workflow, 'sequential')
}

function placeOf(path: DocumentPath): string {
  return path.map((step) => (typeof step === 'number' ? '[]' : step)).join('')
}

function someWorkflowHas(root: unknown, field: string): boolean {
  return workflowsOf(root).some((workflow) => hasField(workflow, field))
}

function workflowsOf(root: unknown): readonly unknown[] {
  const workflows = hasField(root, 'workflows') ? root['workflows'] : []
  return Array.isArray(workflows) ? workflows : []
}

function hasField<Field extends string>(
  value: unknown,
  field: Field,
): value is Record<Field, unknown> {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, field)
}
