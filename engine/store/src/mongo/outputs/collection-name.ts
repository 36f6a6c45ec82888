import { ENGINE_FIELD } from './is-native.ts'

/** Predictions, as KRE calls them. Nodes may save documents of their own beside them. */
export const PREDICTIONS = 'classificationMetrics'
/** Documents of collections whose names MongoDB does not take. */
const OTHER_NAMES = `${ENGINE_FIELD}.other`
/** A name and its database are at most 255 bytes in MongoDB, and 235 characters in FerretDB. */
const NAME_BYTES_MAX = 120
/** Letters, digits and what is harmless in every tool, with a letter, digit or underscore first. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_. -]*$/u

/** Where documents that a node saves in `collection` are: a collection of the name, or the one for all other names. */
export function collectionName(collection: string): string {
  const isLegal =
    NAME.test(collection) &&
    Buffer.byteLength(collection) <= NAME_BYTES_MAX &&
    !collection.startsWith('system.') &&
    !collection.startsWith(ENGINE_FIELD)
  return isLegal ? collection : OTHER_NAMES
}
