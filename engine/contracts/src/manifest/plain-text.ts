/**
 * Unquoted words that YAML 1.1 readers (PyYAML, js-yaml 3, the original's go-yaml) take for something else than
 * text, although YAML 1.2 reads text: switches, dates, numbers with "_", numbers to base 60.
 */
const AMBIGUOUS = [
  /^(?:yes|no|on|off)$/i,
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ].*)?$/,
  /^[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?$/,
  /^[-+]?(?:0b[01_]+|0x[\da-f_]+|0o[0-7_]+|\d[\d_]*(?:\.[\d_]*)?)$/i,
]

/** Whether `source`, written without quotes, is text for some YAML readers only. */
export function isAmbiguousText(source: string): boolean {
  return AMBIGUOUS.some((pattern) => pattern.test(source))
}
