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

type Config = {
  readonly variables: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

/** `maskValues` for the configuration of a node. */
export function maskConfig(config: Config): (text: string) => string {
  return maskValues([...Object.entries(config.variables), ...Object.entries(config.files)])
}

/**
 * A function that fills each configured value in the bytes of a message with `*`, so that what is around it can be read
 * as before. Best effort, as `maskValues`; it finds the beginning of a value, too, where a message was cut.
 */
export function maskConfigBytes({ variables, files }: Config): (bytes: Uint8Array) => void {
  const values = [...Object.values(variables), ...Object.values(files)].flatMap(partsOf)
  const secrets = [...new Set(values)].map((value) => Buffer.from(value))
  return (bytes) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (const secret of secrets) {
      let at = buffer.indexOf(secret)
      while (at !== -1) {
        buffer.fill(STAR, at, at + secret.length)
        at = buffer.indexOf(secret, at + secret.length)
      }
      const begun = beginningAtEnd(buffer, secret)
      buffer.fill(STAR, buffer.length - begun)
    }
  }
}
const STAR = 0x2a

/** How many of the last bytes are the first ones of a secret; fewer than the shortest that is masked do not count. */
function beginningAtEnd(buffer: Buffer, secret: Buffer): number {
  for (
    let length = Math.min(secret.length - 1, buffer.length);
    length >= MASKED_CHARS_MIN;
    length--
  )
    if (buffer.subarray(buffer.length - length).equals(secret.subarray(0, length))) return length
  return 0
}

/** The value, and what is left of it when its line end or its single lines are printed. */
function partsOf(value: string): string[] {
  const lines = value.includes('\n') ? value.split(/\r?\n/).map((line) => line.trim()) : []
  return [value, value.trim(), ...lines].filter((part) => part.trim().length >= MASKED_CHARS_MIN)
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}
