import { spellBytes } from '@kre/contracts'

/**
 * JSON text of bytes that are meant to be JSON in UTF-8: each byte that is part of no character becomes the text `\xff`
 * with its number, so that a line of a program that prints binary data can be read, and nothing of it is lost.
 */
export function escapeBytes(data: Uint8Array): string {
  // Within a JSON text a backslash is written as two.
  return spellBytes(data, '\\\\')
}
