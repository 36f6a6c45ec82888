import type { Column } from './data-table.tsx'
import { Moment } from './moment.tsx'

/** A column of times, by which people may sort. */
export function momentColumn<Row>(
  key: string,
  title: string,
  momentOf: (row: Row) => string | null,
): Column<Row> {
  return { key, title, cell: (row) => <Moment at={momentOf(row)} />, sortBy: momentOf }
}
