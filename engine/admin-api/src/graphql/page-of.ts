import { KreError } from '@kre/contracts'
import { quoted } from '../text.ts'

/** Arguments of a list that can be read in pages; absent = the whole list. */
export type PageArgs = { readonly limit?: number | null; readonly cursor?: string | null }

export const PAGE_ITEMS_MAX = 1_000

/**
 * A page of a list. The cursor is an id, as in KRE's own lists, so that plain lists need no type around them.
 *
 * @param idsOf what a cursor may call an item.
 * @throws KreError `invalid-argument` for a limit out of bounds, and for an item that is not in the list any more.
 */
export function pageOf<T>(
  items: readonly T[],
  { limit, cursor }: PageArgs,
  idsOf: (item: T) => readonly string[],
): readonly T[] {
  if (typeof limit === 'number' && (limit < 1 || limit > PAGE_ITEMS_MAX))
    throw new KreError('invalid-argument', `limit is ${limit}: use 1 to ${PAGE_ITEMS_MAX}`, {
      field: 'limit',
    })
  const start = typeof cursor === 'string' ? indexAfter(items, cursor, idsOf) : 0
  return items.slice(start, typeof limit === 'number' ? start + limit : undefined)
}

function indexAfter<T>(
  items: readonly T[],
  cursor: string,
  idsOf: (item: T) => readonly string[],
): number {
  const index = items.findIndex((item) => idsOf(item).includes(cursor))
  if (index >= 0) return index + 1
  throw new KreError(
    'invalid-argument',
    `cursor ${quoted(cursor)} names nothing in this list, maybe not any more: begin again without it`,
    { field: 'cursor' },
  )
}
