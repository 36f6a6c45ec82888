import { visibleText } from './visible-text.ts'

const TEXT_CHARS_MAX = 500
const NAME_CHARS_MAX = 100
const LIST_MAX = 100
const FIELDS_MAX = 100
const DEPTH_MAX = 4

/** A caller's value as it is kept: plain JSON, readable, and small whatever was sent. */
export function bounded(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return visibleText(value, TEXT_CHARS_MAX)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null
  if (depth >= DEPTH_MAX) return '…'
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) {
    const kept = value.slice(0, LIST_MAX).map((item) => bounded(item, depth + 1))
    return value.length > LIST_MAX ? [...kept, `… ${value.length - LIST_MAX} more`] : kept
  }
  if (typeof value === 'object') {
    const fields = Object.entries(value)
    const kept = fields
      .slice(0, FIELDS_MAX)
      .map(([name, field]) => [visibleText(name, NAME_CHARS_MAX), bounded(field, depth + 1)])
    const left = fields.length - FIELDS_MAX
    return Object.fromEntries(left > 0 ? [...kept, ['…', `${left} more`]] : kept) as unknown
  }
  return `<${typeof value}>`
}
