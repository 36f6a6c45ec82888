/** Names that would be somebody's prototype in an object made of them. */
const PROTOTYPE_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** The field of a stored document that is the engine's. */
export const ENGINE_FIELD = '_kre'

/**
 * Whether a value of a user's document can be a value of a MongoDB document and come back the same: names are no
 * operators, paths or prototypes, and text is Unicode. What is not is stored as JSON text.
 */
export function isNative(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isNative)
  return Object.entries(value).every(([name, member]) => isNativeName(name) && isNative(member))
}

/** Whether an object can be a document beside the engine's own fields. */
export function isNativeDocument(document: Record<string, unknown>): boolean {
  return !Object.hasOwn(document, ENGINE_FIELD) && isNative(document)
}

function isNativeName(name: string): boolean {
  return (
    name !== '' &&
    !name.startsWith('$') &&
    !name.includes('.') &&
    !name.includes('\0') &&
    name.isWellFormed() &&
    !PROTOTYPE_NAMES.has(name)
  )
}
