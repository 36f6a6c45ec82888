/** Order of a table's rows, as it stands in the URL: a column's key, `-` before it for the last first. Pure. */

export type SortValue = string | number | null
type Sorted<Row> = { readonly key: string; readonly sortBy?: (row: Row) => SortValue }

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' })

/** What has no value comes last in both directions; an unknown order leaves the rows as they are. */
export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Sorted<Row>[],
  order: string | null,
): readonly Row[] {
  const { key, isReversed } = parseOrder(order)
  const sortBy = columns.find((column) => column.key === key)?.sortBy
  if (sortBy === undefined) return rows
  const sign = isReversed ? -1 : 1
  return rows.toSorted((one, other) => {
    const [a, b] = [sortBy(one), sortBy(other)]
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    return sign * compare(a, b)
  })
}

/** For `aria-sort`. */
export function directionOf(
  key: string,
  order: string | null,
): 'ascending' | 'descending' | 'none' {
  const sorted = parseOrder(order)
  if (sorted.key !== key) return 'none'
  return sorted.isReversed ? 'descending' : 'ascending'
}

/** First click: ascending, then descending, then the order of the engine. */
export function nextOrder(key: string, order: string | null): string | null {
  const direction = directionOf(key, order)
  if (direction === 'none') return key
  return direction === 'ascending' ? `-${key}` : null
}

function parseOrder(order: string | null): { key: string; isReversed: boolean } {
  const isReversed = order?.startsWith('-') ?? false
  return { key: isReversed ? (order ?? '').slice(1) : (order ?? ''), isReversed }
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number'
    ? a - b
    : collator.compare(String(a), String(b))
}
