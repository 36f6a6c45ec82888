/** Labels of classes are compared by so many characters; what is longer is no name of a class. */
const LABEL_CHARS_MAX = 200

/** A predicted or true value as it is counted. */
export function labelOf(value: string): string {
  return value.slice(0, LABEL_CHARS_MAX).toWellFormed()
}
