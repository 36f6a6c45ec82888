import type { DocumentPath } from './document-path.ts'

/**
 * Whose field it is, to begin a message with: `workflow "intake", node "score": `. Empty at the top of the manifest.
 * Things without a name are counted from 1.
 */
export function describeSubject(root: unknown, path: DocumentPath): string {
  const parts: string[] = []
  let value = root
  for (const [i, step] of path.entries()) {
    value = member(value, step)
    const list = path[i - 1]
    if (typeof step !== 'number' || (list !== 'workflows' && list !== 'nodes')) continue
    // A field of the thing, not the thing itself.
    if (i === path.length - 1) break
    const name = member(value, 'name')
    const word = list === 'workflows' ? 'workflow' : 'node'
    parts.push(typeof name === 'string' ? `${word} "${name.slice(0, 60)}"` : `${word} ${step + 1}`)
  }
  return parts.length === 0 ? '' : `${parts.join(', ')}: `
}

function member(value: unknown, step: string | number): unknown {
  if (value === null || typeof value !== 'object') return undefined
  return (value as Record<string | number, unknown>)[step]
}
