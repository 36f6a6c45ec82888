import { createHash } from 'node:crypto'
import type { OutputRecord } from '@kre/contracts'

/** A longer key is a hash: an index holds every one of them. */
const KEY_CHARS_MAX = 500

/**
 * `_id` of an output: the same for every delivery of the record, and different for any two records of a runtime.
 * The kind is part of it, because a node may give its own documents the name of the engine's collection.
 */
export function recordKey({ kind, version, id }: OutputRecord): string {
  // Escaped, so that the slash ends the version whatever the id holds.
  const escaped = version.replaceAll('%', '%25').replaceAll('/', '%2F')
  const key = `${kind}/${escaped}/${id}`
  if (key.length <= KEY_CHARS_MAX && key.isWellFormed()) return key
  return `sha256/${createHash('sha256')
    .update(JSON.stringify([kind, version, id]))
    .digest('hex')}`
}
