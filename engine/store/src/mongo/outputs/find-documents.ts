import type { Collection, Document, Filter } from 'mongodb'
import { MINUTE_MS } from '@kre/contracts'
import { documentMatches } from '../../outputs/document-matches.ts'
import type { FieldCondition } from '../../outputs/document-query.ts'
import { ENGINE_FIELD } from './is-native.ts'
import { toVisibleDocument, type DataDocument } from './output-document.ts'

/** A search that takes longer is ended by the server. */
export const SEARCH_MS_MAX = MINUTE_MS
/** Documents that travel at once. */
const BATCH_DOCUMENTS = 500

/** Documents that meet all conditions, oldest first. */
export async function findDocuments(
  documents: Collection<DataDocument>,
  collection: string,
  conditions: readonly FieldCondition[],
  limit: number,
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = []
  if (limit < 1) return found
  const candidates = documents
    .find(documentFilter(collection, conditions), { maxTimeMS: SEARCH_MS_MAX })
    .sort({ '_kre.seq': 1 })
    .batchSize(BATCH_DOCUMENTS)
  for await (const candidate of candidates) {
    const document = toVisibleDocument(candidate)
    if (!documentMatches(document, conditions)) continue
    found.push(document)
    if (found.length >= limit) break
  }
  return found
}

/**
 * Candidates: MongoDB's own equality reaches further than ours, and opaque documents show it nothing. Only scalars go
 * into the filter, each as `$eq`, so that no value is ever read as an operator.
 */
export function documentFilter(
  collection: string,
  conditions: readonly FieldCondition[],
): Filter<DataDocument> {
  const isOfCollection = {
    '_kre.kind': { $eq: 'document' },
    '_kre.collection': { $eq: collection },
  }
  const equalities: Document[] = conditions.flatMap(({ path, value }) =>
    isScalar(value) ? [{ [fieldOf(path)]: { $eq: value } }] : [],
  )
  if (equalities.length === 0) return isOfCollection
  return { ...isOfCollection, $or: [{ '_kre.isOpaque': { $eq: true } }, { $and: equalities }] }
}

/** Null is left out: what is absent matches it, in ways that differ between servers. */
function isScalar(value: unknown): boolean {
  return typeof value === 'string'
    ? value.isWellFormed()
    : ['number', 'boolean'].includes(typeof value)
}

/** The visible `_id` is a field of the engine; `_id` of the stored document is the record's key. */
function fieldOf(path: readonly string[]): string {
  return path[0] === '_id' ? [ENGINE_FIELD, ...path].join('.') : path.join('.')
}
