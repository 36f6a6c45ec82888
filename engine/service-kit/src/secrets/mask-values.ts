/** Shorter values are words of every log (`true`, `prod`): replacing them would hide the log, not the value. */
export const MASKED_CHARS_MIN = 8

/**
 * A function that replaces each configured value by `<secret:KEY>` in a text, the longest value first. Best effort:
 * it finds values as they were given, also when a line of a longer one stands alone, and no encoded forms.
 *
 * @param values by key.
 */
export function maskValues(
  values: Iterable<readonly [key: string, value: string]>,
): (text: string) => string {
  const keyOf = new Map<string, string>()
  for (const [key, value] of values)
    for (const part of partsOf(value)) if (!keyOf.has(part)) keyOf.set(part, key)
  const parts = [...keyOf.keys()].toSorted((a, b) => b.length - a.length)
  if (parts.length === 0) return (text) => text
  const pattern = new RegExp(parts.map(escapeRegExp).join('|'), 'g')
  const shortest = parts.at(-1)?.length ?? 0
  return (text) =>
    text.length < shortest
      ? text
      : text.replace(pattern, (found) => `<secret:${keyOf.get(found) ?? ''}>`)
}

/** `maskValues` for the configuration of a node. */
export function maskConfig(config: {
  readonly variables: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}): (text: string) => string {
  return maskValues([...Object.entries(config.variables), ...Object.entries(config.files)])
}

/** The value, and what is left of it when its line end or its single lines are printed. */
function partsOf(value: string): string[] {
  const lines = value.includes('\n') ? value.split(/\r?\n/).map((line) => line.trim()) : []
  return [value, value.trim(), ...lines].filter((part) => part.trim().length >= MASKED_CHARS_MIN)
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
