/** protoc's rule: underscores go, the letter behind one becomes a capital. */
export function jsonName(fieldName: string): string {
  return fieldName.replaceAll(/_+(.?)/g, (_all, letter: string) => letter.toUpperCase())
}
