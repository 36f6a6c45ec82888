/** A proto2 default value as descriptors hold it: text, with bytes escaped like a C string. */
export function defaultText(type: string, value: unknown): string {
  if (typeof value === 'number') return numberText(type, value)
  const text = String(value)
  return type === 'bytes' ? escapeBytes(text) : text
}

function numberText(type: string, value: number): string {
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  if (Number.isNaN(value)) return 'nan'
  if (type !== 'float' && type !== 'double') return BigInt(value).toString()
  return Object.is(value, -0) ? '-0' : String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '"': String.raw`\"`,
  "'": String.raw`\'`,
  '\\': String.raw`\\`,
}

/** The parser keeps one character per byte for escapes, and characters of the source otherwise. */
function escapeBytes(text: string): string {
  return Array.from(text)
    .map((character) => {
      const known = ESCAPES[character]
      if (known !== undefined) return known
      if (character >= ' ' && character <= '~') return character
      const code = character.codePointAt(0) ?? 0
      const bytes = code < 256 ? [code] : [...Buffer.from(character)]
      return bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
    })
    .join('')
}
