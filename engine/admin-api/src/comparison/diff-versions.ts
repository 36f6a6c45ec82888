/** What two versions do not have alike. Pure. */
import { nodeFields, workflowFields, type BundleFacts, type KrtManifest } from '@kre/contracts'
import { readMessageCatalog } from '@kre/contracts/model'

export const DIFFERENCE_AREAS = [
  'VERSION',
  'WORKFLOW',
  'NODE',
  'CONFIGURATION',
  'RPC',
  'MESSAGE',
  'FILE',
] as const
export type DifferenceArea = (typeof DIFFERENCE_AREAS)[number]

/** Null = it was not there, or has its default. */
export type FieldDifference = {
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

export type VersionDifference = {
  readonly area: DifferenceArea
  /** Empty for the version as a whole. */
  readonly name: string
  readonly change: 'ADDED' | 'REMOVED' | 'CHANGED'
  readonly fields: readonly FieldDifference[]
}

/** What is compared of a version. */
export type ComparedVersion = {
  readonly facts: Pick<BundleFacts, 'manifest' | 'methods' | 'descriptorSet' | 'files'>
  /** Declared keys with what tells their values apart; a value itself is never needed. */
  readonly config: readonly { key: string; type: string; fingerprint: string | null }[]
}

/** By name; each with its fields as text. What has no fields is there or not. */
type Things = ReadonlyMap<string, ReadonlyMap<string, string>>

/** In the order of `DIFFERENCE_AREAS`, then of the versions. Contents of files are not compared: only their paths. */
export function diffVersions(from: ComparedVersion, to: ComparedVersion): VersionDifference[] {
  const [before, after] = [thingsOf(from), thingsOf(to)]
  return DIFFERENCE_AREAS.flatMap((area) => {
    // Reading the descriptors takes longest, and most changes leave them alone.
    if (area === 'MESSAGE' && from.facts.descriptorSet === to.facts.descriptorSet) return []
    return diffThings(area, before[area](), after[area]())
  })
}

function diffThings(area: DifferenceArea, before: Things, after: Things): VersionDifference[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name): VersionDifference[] => {
    const [old, next] = [before.get(name), after.get(name)]
    const fields = diffFields(old ?? NO_FIELDS, next ?? NO_FIELDS)
    if (old === undefined) return [{ area, name, change: 'ADDED', fields }]
    if (next === undefined) return [{ area, name, change: 'REMOVED', fields }]
    return fields.length === 0 ? [] : [{ area, name, change: 'CHANGED', fields }]
  })
}

const NO_FIELDS: ReadonlyMap<string, string> = new Map()

function diffFields(
  old: ReadonlyMap<string, string>,
  next: ReadonlyMap<string, string>,
): FieldDifference[] {
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((name) => {
    const [before, after] = [old.get(name) ?? null, next.get(name) ?? null]
    return before === after ? [] : [{ name, before, after }]
  })
}

function thingsOf({ facts, config }: ComparedVersion): Record<DifferenceArea, () => Things> {
  const { manifest, methods } = facts
  const { description, krtVersion, entrypoint, workflows } = manifest
  return {
    VERSION: () => new Map([['', fieldsOf({ description, krtVersion, entrypoint })]]),
    WORKFLOW: () =>
      new Map(
        workflows.map((workflow) => {
          const fields = fieldsOf(workflowFields(workflow))
          // Nodes are things of their own.
          fields.delete('nodes')
          return [workflow.id, fields]
        }),
      ),
    NODE: () =>
      new Map(
        workflows.flatMap(({ id, nodes }) =>
          nodes.map((node) => [`${id}.${node.id}`, fieldsOf(nodeFields(node))]),
        ),
      ),
    CONFIGURATION: () => configurationThings(manifest, config),
    RPC: () =>
      new Map(
        methods.map(({ rpc, requestType, responseType, serverStreaming, workflow }) => [
          rpc,
          fieldsOf({ requestType, responseType, serverStreaming, workflow }),
        ]),
      ),
    MESSAGE: () => messageThings(facts.descriptorSet),
    FILE: () => new Map(facts.files.map((path) => [path, NO_FIELDS])),
  }
}

function configurationThings(
  manifest: Pick<KrtManifest, 'config'>,
  config: ComparedVersion['config'],
): Things {
  const { defaults } = manifest.config
  return new Map(
    config.map(({ key, type, fingerprint }) => [
      key,
      fieldsOf({
        kind: type,
        ...(Object.hasOwn(defaults, key) ? { default: defaults[key] } : {}),
        ...(fingerprint === null ? {} : { value: fingerprint }),
      }),
    ]),
  )
}

/** Fields of messages by their numbers: those are what is on the wire. */
function messageThings(descriptorSet: string): Things {
  const catalog = readMessageCatalog(Buffer.from(descriptorSet, 'base64'))
  return new Map(
    [...catalog.values()].map(({ name, fields }) => [
      name,
      new Map(
        fields.map((field) => {
          const type = field.typeName === '' ? (field.kind ?? 'group') : field.typeName
          const text = `${field.isRepeated ? 'repeated ' : ''}${type} ${field.name}`
          return [`= ${field.number}`, text]
        }),
      ),
    ]),
  )
}

/** Fields of an object as text; those of objects in it by their paths: `resources.cpu.limit`. */
function fieldsOf(value: object, prefix = ''): Map<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, string][] => {
      if (inner === null || inner === undefined) return []
      const name = `${prefix}${key}`
      const isObject = typeof inner === 'object' && !Array.isArray(inner)
      return isObject ? [...fieldsOf(inner, `${name}.`)] : [[name, textOf(inner)]]
    }),
  )
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return (value as unknown[]).map(textOf).join(', ')
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([key, inner]) => `${key}: ${textOf(inner)}`)
    .join(' ')
}
