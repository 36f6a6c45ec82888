/** Longest id of a runtime. */
const ID_CHARS_MAX = 15

/** An id that the engine may take, made of a name; empty where nothing of the name can be used. */
export function idFromName(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, ID_CHARS_MAX)
    .replace(/-+$/, '')
}
