/** Runs the schema over what was read, turns its findings into issues, and takes the refused parts out. */
import type { z } from 'zod'
import { formatPath, type DocumentPath } from './document-path.ts'
import { isForeignField, isWaivedByForeignField, type Generation } from './generation.ts'
import type { NewIssue, Report } from './issue-collector.ts'
import type { IssueCode } from './issue-codes.ts'
import { nearestName } from './nearest-name.ts'
import { isAmbiguousText } from './plain-text.ts'
import type { Draft } from './schema.ts'
import { schemaAt } from './schema-at.ts'
import { describeSubject } from './subject.ts'
import { describeActual, describeExpected, describeValue, typeHint } from './value-type.ts'
import type { YamlDocument } from './yaml-value.ts'

type Shape = {
  document: YamlDocument
  generation: Generation
  schema: z.ZodType
  /** Unknown keys are errors. */
  strict: boolean
  report: Report
}
type SchemaIssue = z.core.$ZodIssue

/** Codes of numbers out of range and of words that are no option, where they have one of their own. */
const OWN_CODES: Readonly<Record<string, IssueCode>> = {
  replicas: 'REPLICAS_RANGE',
  scope: 'OBJECT_STORE_SCOPE',
}

/**
 * @param value the root map; the parts that break the schema are removed from it.
 * @returns the same map, typed as what may be left.
 */
export function checkShape<Schema extends z.ZodType>(
  schema: Schema,
  value: Record<string, unknown>,
  context: Omit<Shape, 'schema'>,
): Draft<z.infer<Schema>> {
  const shape: Shape = { ...context, schema }
  const issues = flatten(schema.safeParse(value).error?.issues ?? [])
  const refused = new Set(context.document.refused)
  const removals: DocumentPath[] = []
  for (const { issue, path } of issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) reportUnknownKey(shape, value, [...path, key])
      removals.push(...issue.keys.map((key) => [...path, key]))
      continue
    }
    if (!refused.has(formatPath(path))) reportField(shape, value, path, issue)
    refused.add(formatPath(path))
    removals.push(path)
  }
  for (const path of removals) remove(value, path)
  reportAmbiguousText(shape, value)
  // The schema accepted all that is left, and what it requires is optional in a draft.
  return value as Draft<z.infer<Schema>>
}

type Finding = { issue: SchemaIssue; path: DocumentPath }

/** The findings inside a union's matching branch count, not those of all branches. */
function flatten(issues: readonly SchemaIssue[], prefix: DocumentPath = []): Finding[] {
  return issues.flatMap((issue): Finding[] => {
    const path = [...prefix, ...(issue.path as DocumentPath)]
    if (issue.code !== 'invalid_union') return [{ issue, path }]
    const branch = issue.errors.find((branchIssues) =>
      branchIssues.every((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'),
    )
    return branch === undefined ? [{ issue, path }] : flatten(branch, path)
  })
}

function reportField(shape: Shape, root: unknown, path: DocumentPath, issue: SchemaIssue): void {
  const value = valueAt(root, path)
  const field = fieldName(path)
  const subject = describeSubject(root, path)
  const add = (rest: Omit<NewIssue, 'path' | 'message'> & { message: string }) =>
    shape.report.add({ ...rest, path, message: `${subject}${rest.message}` })
  if (value === undefined || value === '') {
    if (isWaivedByForeignField(shape.generation, root, path)) return
    if (path.at(-1) === 'sequential')
      return add({ code: 'SEQUENTIAL_EMPTY', message: '"sequential" lists no node' })
    return add({
      code: 'FIELD_REQUIRED',
      message: `${field} is ${value === '' ? 'empty' : 'missing'}`,
    })
  }
  if (issue.code === 'invalid_value') {
    const options = issue.values.map(String)
    const written = describeValue(value)
    const nearest = nearestName(written, options)
    return add({
      code: OWN_CODES[String(path.at(-1))] ?? 'FIELD_VALUE',
      message: `${field} is ${JSON.stringify(written)}; it is one of ${options.join(', ')}`,
      ...(nearest === null ? {} : { hint: `did you mean "${nearest}"?` }),
    })
  }
  if (issue.code === 'too_big' || issue.code === 'too_small') {
    const bound =
      issue.code === 'too_big' ? `at most ${issue.maximum}` : `at least ${issue.minimum}`
    return add({
      code: OWN_CODES[String(path.at(-1))] ?? 'FIELD_RANGE',
      message: `${field} is ${describeValue(value)}; it must be ${bound}`,
    })
  }
  const expected = expectedTypes(issue)
  const hint = typeHint(expected, value, shape.document.plainScalars.get(formatPath(path))?.source)
  add({
    code: 'FIELD_TYPE',
    message: `${field} must be ${expected.map(describeExpected).join(' or ')}, not ${describeActual(value)}`,
    ...(hint === null ? {} : { hint }),
  })
}

function expectedTypes(issue: SchemaIssue): string[] {
  if (issue.code === 'invalid_type') return [issue.expected]
  if (issue.code !== 'invalid_union') return []
  return issue.errors.flatMap((branch) => branch.slice(0, 1).flatMap(expectedTypes))
}

function reportUnknownKey(shape: Shape, root: unknown, path: DocumentPath): void {
  const key = String(path.at(-1))
  const subject = describeSubject(root, path)
  if (isForeignField(shape.generation, path)) {
    const other = shape.generation === 'v1' ? 'v2' : 'v1'
    shape.report.add({
      code: 'FIELD_GENERATION',
      path,
      part: 'key',
      message: `${subject}"${key}" is incompatible with krtVersion ${shape.generation}`,
      hint: `it belongs to ${other}: remove it, or write the whole manifest in ${other}`,
    })
    return
  }
  const known = schemaAt(shape.schema, path.slice(0, -1)).flatMap((schema) =>
    Object.keys(schema.shape),
  )
  const nearest = nearestName(key, known)
  shape.report.add({
    code: 'YAML_UNKNOWN_KEY',
    level: shape.strict || nearest !== null ? 'error' : 'warning',
    path,
    part: 'key',
    message: `${subject}unknown key ${JSON.stringify(key.slice(0, 60))}`,
    hint: nearest === null ? `known keys: ${known.join(', ')}` : `did you mean "${nearest}"?`,
  })
}

/** Words such as `on` or `2024-01-01` are text here and something else for other readers of the same file. */
function reportAmbiguousText({ document, report }: Shape, root: unknown): void {
  for (const { path, source, value } of document.plainScalars.values()) {
    if (typeof value !== 'string' || !isAmbiguousText(source)) continue
    if (valueAt(root, path) !== value) continue
    report.add({
      code: 'FIELD_TYPE',
      path,
      message: `${describeSubject(root, path)}${fieldName(path)} must be text, and some YAML readers take ${source} for something else`,
      hint: `write ${JSON.stringify(source)}, in quotes`,
    })
  }
}

/** `"image"`, or `"subscriptions" item 2`, counted from 1. */
function fieldName(path: DocumentPath): string {
  const last = path.at(-1)
  if (last === undefined) return 'the manifest'
  return typeof last === 'number' ? `"${String(path.at(-2))}" item ${last + 1}` : `"${last}"`
}

function valueAt(root: unknown, path: DocumentPath): unknown {
  let value = root
  for (const step of path) {
    if (value === null || typeof value !== 'object') return undefined
    value = (value as Record<string | number, unknown>)[step]
  }
  return value
}

/** Members of lists become holes, so that the places of the others stay what they are. */
function remove(root: unknown, path: DocumentPath): void {
  const parent = valueAt(root, path.slice(0, -1))
  const step = path.at(-1)
  if (parent === null || typeof parent !== 'object' || step === undefined) return
  if (Array.isArray(parent)) parent[Number(step)] = undefined
  else delete (parent as Record<string | number, unknown>)[step]
}
