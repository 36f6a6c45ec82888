import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  visit,
  type Document,
  type Node,
} from 'yaml'
import type { z } from 'zod'
import { isReadableYaml, KreError } from '@kre/contracts'
import { ApplyDocument } from './apply-document.ts'

type Path = readonly (string | number)[]

/** A document with the place of everything in it. */
export type Placed = {
  readonly document: ApplyDocument
  /** Folder that relative paths begin at. */
  readonly folder: string
  /** `file:line:column` of the value at a path, or of the nearest thing around it. */
  readonly at: (path: Path) => string
}

export type Source = { readonly name: string; readonly folder: string; readonly text: string }

/** Documents are not of any use, for all these reasons. */
export class BadDocuments extends KreError {
  override name = 'BadDocuments'
  constructor(problems: readonly string[]) {
    super('invalid-argument', problems.join('\n'), { problems: [...problems] })
  }
}

/**
 * Reads the YAML documents of a file; empty ones are left out.
 *
 * @throws BadDocuments with the place of everything that is wrong; values are not repeated.
 */
export function readDocuments({ name, folder, text }: Source): Placed[] {
  if (!isReadableYaml(text))
    throw new BadDocuments([
      `${name}: this is no YAML that can be read: it has more than 256 KiB, or is nested too deep, or holds control characters`,
    ])
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    merge: false,
    prettyErrors: false,
    resolveKnownTags: false,
    lineCounter: lines,
  })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${Math.max(1, line)}:${Math.max(1, col)}`
  }
  const problems: string[] = []
  const documents: Placed[] = []
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const faults = syntaxFaults(document, place)
    problems.push(...faults)
    if (faults.length > 0 || document.toJS() === null) continue
    const at = (path: Path): string => place(locate(document, path))
    const checked = ApplyDocument.safeParse(document.toJS())
    if (checked.success) documents.push({ document: checked.data, folder, at })
    else problems.push(...checked.error.issues.flatMap((issue) => describeIssue(issue, at)))
  }
  if (problems.length > 0) throw new BadDocuments(problems)
  return documents
}

/** Aliases are refused: a few bytes of them make gigabytes. */
function syntaxFaults(document: Document.Parsed, place: (offset: number) => string): string[] {
  const faults = [...document.errors, ...document.warnings].map(
    ({ pos: [offset], message }) => `${place(offset)}: ${message}`,
  )
  if (faults.length > 0) return faults
  visit(document, {
    Alias: (_key, node) => {
      faults.push(`${place(node.range?.[0] ?? 0)}: aliases are not allowed: write the value itself`)
    },
  })
  return faults
}

function describeIssue(issue: z.core.$ZodIssue, at: (path: Path) => string): string[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(
      (key) => `${at([...path, key])}: there is no field "${[...path, key].join('.')}"`,
    )
  const field = path.join('.') || 'the document'
  return [`${at(path)}: ${field}${sayWhat(issue.message)}`]
}

/** Our own messages go on behind the field's name; those of zod are sentences. */
function sayWhat(message: string): string {
  if (message.endsWith('received undefined')) return ' is missing'
  return /^[a-z]/.test(message)
    ? ` ${message}`
    : `: ${message.slice(0, 1).toLowerCase()}${message.slice(1)}`
}

/** Offset of the key at a path where there is one, else of the value; of what is around it when nothing is there. */
function locate(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents
  let offset = startOf(node) ?? 0
  for (const step of path) {
    if (isSeq(node) && typeof step === 'number') {
      node = node.items[step]
      offset = startOf(node) ?? offset
      continue
    }
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
      : undefined
    if (pair === undefined) return offset
    offset = startOf(pair.key) ?? offset
    node = pair.value
  }
  return offset
}

function startOf(node: unknown): number | null {
  return (node as Node | null | undefined)?.range?.[0] ?? null
}
