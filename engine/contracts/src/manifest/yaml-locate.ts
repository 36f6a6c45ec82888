import { isCollection, isMap, isScalar, isSeq, type Document, type Node } from 'yaml'
import type { DocumentPath } from './document-path.ts'

/**
 * Offset of the value at `path`: of the value itself when it is one word, of its key when it is a map, a list or
 * empty. Where the path leads to nothing (an absent field), the nearest thing around it.
 */
export function locateNode(document: Document, path: DocumentPath, part?: 'key'): number {
  let node: unknown = document.contents
  let key: unknown = null
  for (const [i, step] of path.entries()) {
    const next = descend(node, step)
    if (next === null) return offsetOf(node, key)
    key = next.key
    node = next.value
    if (i === path.length - 1 && part === 'key' && key !== null) return startOf(key)
  }
  return offsetOf(node, key)
}

function descend(node: unknown, step: string | number): { key: unknown; value: unknown } | null {
  if (typeof step === 'number')
    return isSeq(node) && step < node.items.length ? { key: null, value: node.items[step] } : null
  if (!isMap(node)) return null
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === step)
  return pair === undefined ? null : { key: pair.key, value: pair.value }
}

function offsetOf(node: unknown, key: unknown): number {
  const isWord = isScalar(node) && node.value !== null && !isCollection(node)
  return key === null || isWord ? startOf(node) : startOf(key)
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0
}
