/**
 * Which fields that the engine has written are not its own any more: somebody has changed or removed them. The API server
 * keeps for each field who wrote it last (`metadata.managedFields`), so neither values nor defaults are compared. Pure.
 */
import type { V1ManagedFieldsEntry } from '@kubernetes/client-node'
import { FIELD_MANAGER } from '../manifests/identity.ts'

type FieldSet = Readonly<Record<string, object>>
type Fields = Readonly<Record<string, unknown>>

/**
 * @param rendered what the engine would write; fields that others have added to it do not count.
 * @returns paths as people write them, `spec.replicas`; at most one for everything below it. Empty also when the cluster
 *   says of no field who wrote it.
 */
export function lostFields(
  rendered: object,
  managed: readonly V1ManagedFieldsEntry[] | undefined,
): string[] {
  const own = (managed ?? []).filter(
    // Changes by webhooks of what we apply are counted as ours, under the other operation.
    ({ manager, subresource }) => manager === FIELD_MANAGER && (subresource ?? '') === '',
  )
  if (own.length === 0) return (managed ?? []).length === 0 ? [] : ['all']
  const sets = own.flatMap(({ fieldsV1 }) => (fieldsV1 === undefined ? [] : [fieldsV1 as FieldSet]))
  const { metadata, spec } = rendered as { metadata?: Fields; spec?: Fields }
  return [
    ...lostIn({ labels: metadata?.['labels'] }, below(sets, 'metadata'), 'metadata.'),
    ...lostIn(spec ?? {}, below(sets, 'spec'), 'spec.'),
  ]
}

function lostIn(fields: Fields, sets: readonly FieldSet[], path: string): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined || isEmpty(value)) return []
    const owned = below(sets, name)
    if (owned.length === 0) return [path + name]
    // What is owned as a whole has nothing below it.
    if (owned.every(isLeaf)) return []
    if (Array.isArray(value))
      return value.flatMap((item, index) => lostInItem(item, owned, `${path}${name}[${index}]`))
    return lostIn(value as Fields, owned, `${path}${name}.`)
  })
}

/** Items of some lists are known by the values of their keys: `k:{"name":"node"}`. */
function lostInItem(item: unknown, sets: readonly FieldSet[], path: string): string[] {
  const found = sets.flatMap((set) =>
    Object.entries(set).flatMap(([key, inside]) =>
      isKeyOf(key, item) ? [inside as FieldSet] : [],
    ),
  )
  if (found.length === 0) return [path]
  if (typeof item !== 'object' || item === null || found.every(isLeaf)) return []
  return lostIn(item as Fields, found, `${path}.`)
}

function isKeyOf(key: string, item: unknown): boolean {
  if (key.startsWith('v:')) return key.slice(2) === JSON.stringify(item)
  if (!key.startsWith('k:') || typeof item !== 'object' || item === null) return false
  const wanted = Object.entries(JSON.parse(key.slice(2)) as Fields)
  // A key that the item leaves out has its default.
  return wanted.every(([name, value]) => {
    const own = (item as Fields)[name]
    return own === undefined || own === value
  })
}

function below(sets: readonly FieldSet[], name: string): FieldSet[] {
  return sets.flatMap((set) => {
    const inside = set[`f:${name}`]
    return inside === undefined ? [] : [inside as FieldSet]
  })
}

/** With a `.` inside it is only the place that is owned. */
function isLeaf(set: FieldSet): boolean {
  return Object.keys(set).length === 0
}

/** Of an empty list or object nothing is written down. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
