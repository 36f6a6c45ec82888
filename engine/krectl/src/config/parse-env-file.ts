import { UsageError } from '../output/exit-code.ts'

const LINE = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=(.*)$/
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

export type EnvEntry = { readonly key: string; readonly value: string; readonly line: number }

/**
 * Reads `KEY=VALUE` lines. Empty lines and lines that begin with `#` are left out; a value in single quotes is taken as
 * it is, one in double quotes knows `\n`, `\r`, `\t`, `\"` and `\\`, any other ends with the line, without white space
 * around it. Nothing is filled in from elsewhere.
 *
 * @param name of the file, for errors, which name lines and never repeat what they hold.
 * @throws UsageError.
 */
export function parseEnvFile(text: string, name: string): EnvEntry[] {
  const entries: EnvEntry[] = []
  const seen = new Set<string>()
  for (const [index, row] of text
    .replace(/^\u{feff}/u, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const trimmed = row.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, key, rest] = LINE.exec(trimmed) ?? []
    if (key === undefined || rest === undefined)
      throw new UsageError(`${name}:${line}: the line is not KEY=VALUE`)
    if (seen.has(key)) throw new UsageError(`${name}:${line}: ${key} is given twice`)
    seen.add(key)
    const value = unquoted(rest.trim())
    if (value === null)
      throw new UsageError(`${name}:${line}: the quotes around the value of ${key} do not match`)
    entries.push({ key, value, line })
  }
  return entries
}

/** Null for quotes that do not match. */
function unquoted(text: string): string | null {
  const quote = text.charAt(0)
  if (quote !== '"' && quote !== "'") return text
  if (quote === "'") return /^'[^']*'$/.test(text) ? text.slice(1, -1) : null
  if (!/^"(?:[^"\\]|\\.)*"$/.test(text)) return null
  return text
    .slice(1, -1)
    .replaceAll(/\\(.)/g, (_all, escaped: string) => ESCAPES[escaped] ?? escaped)
}
