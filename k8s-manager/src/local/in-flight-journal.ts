import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** More ids than a runner handles at once; a longer file is not a journal. */
const IDS_MAX = 4_096
/** Longest id believed, in characters. */
const ID_CHARACTERS_MAX = 128

/** Ids of the requests that were inside a handler when a replica's process died, from `<work>/in-flight`. */
export function readInFlight(workPath: string): string[] {
  const path = join(workPath, 'in-flight')
  return existsSync(path) ? parseInFlight(readFileSync(path, 'utf8')) : []
}

/** One id a line; slots that are blanked with spaces or zeros are free. */
export function parseInFlight(text: string): string[] {
  const ids = text
    .split(/[\s\0]+/)
    .filter((id) => id.length > 0 && id.length <= ID_CHARACTERS_MAX && /^[\x21-\x7e]+$/.test(id))
  return [...new Set(ids)].slice(0, IDS_MAX)
}
