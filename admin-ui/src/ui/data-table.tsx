import type { ReactNode } from 'react'
import { directionOf, nextOrder, sortRows, type SortValue } from './sort-rows.ts'
import { TableFrame } from './table-frame.tsx'
import { useChoices } from './use-choices.ts'

export type Column<Row> = {
  readonly key: string
  readonly title: string
  readonly cell: (row: Row) => ReactNode
  /** `name`: what the row is called; `number`: to the right, digits below each other. */
  readonly kind?: 'name' | 'number'
  /** What people may sort by. Absent = they can't. */
  readonly sortBy?: (row: Row) => SortValue
}

type DataTableProps<Row> = {
  /** What the rows are, in words. */
  label: string
  columns: readonly (Column<Row> | false)[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  classOf?: (row: Row) => string
  className?: string
  /** In place of a table without rows. */
  empty?: ReactNode
  /** Where the URL keeps the order; tables of one page have different ones. */
  orderName?: string
}

/** Rows that look and sort alike everywhere. Where a column is false, it is left out. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, rows, keyOf, classOf, className, empty = null, orderName = 'sort' } = props
  const [choices, choose] = useChoices()
  const order = choices.get(orderName)
  const columns = props.columns.filter((column) => column !== false)
  if (rows.length === 0) return empty
  return (
    <TableFrame label={label}>
      <table className={className} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head
                key={column.key}
                column={column}
                order={order}
                onOrder={(next) => choose(orderName, next)}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {sortRows(rows, columns, order).map((row) => (
            <tr key={keyOf(row)} className={classOf?.(row)}>
              {columns.map(({ key, kind, cell }) =>
                kind === 'name' ? (
                  <th key={key} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={key} className={kind}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  )
}

type HeadProps<Row> = {
  column: Column<Row>
  order: string | null
  onOrder: (order: string | null) => void
}

function Head<Row>({ column, order, onOrder }: HeadProps<Row>) {
  const { key, title, kind, sortBy } = column
  const className = kind === 'number' ? 'number' : undefined
  if (sortBy === undefined)
    return (
      <th scope="col" className={className}>
        {title}
      </th>
    )
  const direction = directionOf(key, order)
  return (
    <th scope="col" className={className} aria-sort={direction}>
      <button type="button" className="sort" onClick={() => onOrder(nextOrder(key, order))}>
        {title}
        <span aria-hidden="true" className="sort-mark">
          {direction === 'ascending' ? '↑' : direction === 'descending' ? '↓' : '↕'}
        </span>
      </button>
    </th>
  )
}
