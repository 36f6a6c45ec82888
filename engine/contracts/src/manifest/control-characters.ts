/** Everything of Unicode's class "control" but tab and line ends: no text of a manifest needs it. */
const CONTROL_CHARACTER = /[\p{Cc}--[\t\n\r]]/v

/** The first control character of a text and what to call it, or null. */
export function findControlCharacter(text: string): { index: number; name: string } | null {
  const match = CONTROL_CHARACTER.exec(text)
  if (match === null) return null
  const code = match[0].charCodeAt(0)
  const name = code === 0 ? 'a NUL character' : `the control character U+${hex(code)}`
  return { index: match.index, name }
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0')
}
