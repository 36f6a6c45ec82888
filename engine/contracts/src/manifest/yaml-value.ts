/** From a YAML syntax tree to plain values, refusing the features of YAML that manifests do not use. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml'
import { findControlCharacter } from './control-characters.ts'
import { formatPath, type DocumentPath } from './document-path.ts'
import { depthFault, YAML_DEPTH_MAX, type TextFault } from './yaml-guard.ts'

export type YamlDocument = {
  /** Maps are objects without a prototype; keys without a value are left out. */
  value: unknown
  /** Scalars that were written without quotes, by formatted path. */
  plainScalars: ReadonlyMap<string, PlainScalar>
  /** Formatted paths whose values were refused already: nothing more is to be said about them. */
  refused: ReadonlySet<string>
}

/** A word without quotes: what was written, and where. */
export type PlainScalar = { path: DocumentPath; source: string; value: unknown }

type Complain = (
  code: TextFault['code'],
  node: unknown,
  path: DocumentPath,
  message: string,
  hint?: string,
) => void
type Walk = {
  complain: Complain
  plainScalars: Map<string, PlainScalar>
  refused: Set<string>
}

export function toPlainValue(
  document: Document,
  addFault: (fault: TextFault, path: DocumentPath) => void,
): YamlDocument {
  const walk: Walk = {
    plainScalars: new Map(),
    refused: new Set(),
    complain(code, node, path, message, hint) {
      const offset = (node as Node | null)?.range?.[0] ?? 0
      const help = hint === undefined ? {} : { hint }
      addFault({ code, offset, message, fatal: false, ...help }, path)
    },
  }
  const value = valueOf(document.contents, [], walk)
  return { value, plainScalars: walk.plainScalars, refused: walk.refused }
}

function valueOf(node: unknown, path: DocumentPath, walk: Walk): unknown {
  if (isAlias(node)) {
    const message = `the alias "*${shorten(node.source)}" is not allowed`
    walk.complain('YAML_FEATURE', node, path, message, 'write the value out')
    return refuse(path, walk)
  }
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return undefined
  complainOfProperties(node, path, walk)
  if (isScalar(node)) return scalarValue(node, path, walk)
  if (path.length >= YAML_DEPTH_MAX) {
    walk.complain('YAML_DEPTH', node, path, depthFault(0).message)
    return refuse(path, walk)
  }
  if (isMap(node)) return mapValue(node, path, walk)
  return node.items.map((item, i) => valueOf(item, [...path, i], walk))
}

function complainOfProperties(node: Node, path: DocumentPath, walk: Walk): void {
  if ('anchor' in node && node.anchor !== undefined) {
    const message = `the anchor "&${shorten(node.anchor)}" is not allowed`
    walk.complain('YAML_FEATURE', node, path, message, 'remove it')
  }
  if (node.tag !== undefined) {
    const message = `the tag "${shorten(node.tag)}" is not allowed`
    walk.complain('YAML_FEATURE', node, path, message, 'remove it')
    if (isScalar(node)) refuse(path, walk)
  }
}

function scalarValue(node: Scalar, path: DocumentPath, walk: Walk): unknown {
  const { value } = node
  if (value === null) return undefined
  const fault = typeof value === 'string' ? findTextFault(value) : null
  if (fault !== null) {
    walk.complain('FIELD_VALUE', node, path, `the text holds ${fault}`, 'remove it')
    return refuse(path, walk)
  }
  if (node.type === 'PLAIN')
    walk.plainScalars.set(formatPath(path), { path, source: node.source ?? '', value })
  return value
}

/** Escapes in quotes can write what the file itself may not hold. */
function findTextFault(text: string): string | null {
  if (!text.isWellFormed()) return 'half of a character (a lone surrogate)'
  return findControlCharacter(text)?.name ?? null
}

function mapValue(map: YAMLMap, path: DocumentPath, walk: Walk): Record<string, unknown> {
  const result = Object.create(null) as Record<string, unknown>
  const seen = new Set<string>()
  for (const pair of map.items) {
    const key = keyOf(pair, path, walk)
    if (key === null) continue
    if (seen.has(key)) {
      const message = `the key "${shorten(key)}" is written twice`
      walk.complain('YAML_DUPLICATE_KEY', pair.key, [...path, key], message, 'keep one of them')
      continue
    }
    seen.add(key)
    const value = valueOf(pair.value, [...path, key], walk)
    if (value !== undefined) result[key] = value
  }
  return result
}

/** Null when the pair has to be left out. */
function keyOf(pair: Pair, path: DocumentPath, walk: Walk): string | null {
  const { key } = pair
  if (!isScalar(key) || key.value === null) {
    walk.complain(
      'YAML_FEATURE',
      key,
      path,
      'a key must be a word',
      'write a name before the colon',
    )
    return null
  }
  if (key.value === '<<' && key.type === 'PLAIN') {
    walk.complain(
      'YAML_FEATURE',
      key,
      path,
      'merge keys ("<<") are not allowed',
      'write the fields out',
    )
    return null
  }
  if (typeof key.value !== 'string' || findTextFault(key.value) !== null) {
    const written = shorten(key.source ?? '')
    const quoted = `write ${JSON.stringify(written)}, in quotes, if it is meant as a name`
    walk.complain(
      'YAML_FEATURE',
      key,
      path,
      `the key ${JSON.stringify(written)} is not text`,
      quoted,
    )
    return null
  }
  complainOfProperties(key, [...path, key.value], walk)
  return key.value
}

function refuse(path: DocumentPath, walk: Walk): undefined {
  walk.refused.add(formatPath(path))
  return undefined
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}
