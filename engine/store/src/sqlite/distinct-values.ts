import type { SQLInputValue } from 'node:sqlite'
import type { Database, Row } from './database.ts'

/**
 * The different values of a column, ascending, at most `limit`: one search in an index per value, however many rows
 * there are.
 *
 * @param of.where rows that count; with an index that begins with its columns and goes on with `column`.
 */
export function distinctValues(
  db: Database,
  of: { table: string; column: string; where: string },
  params: readonly SQLInputValue[],
  limit: number,
): string[] {
  const values: string[] = []
  while (values.length < limit) {
    const last = values.at(-1)
    const row = db.get<Row & { value: string | null }>(
      `SELECT min(${of.column}) AS value FROM ${of.table} WHERE ${of.where}${last === undefined ? '' : ` AND ${of.column} > ?`}`,
      ...params,
      ...(last === undefined ? [] : [last]),
    )
    if (row === null || row.value === null) break
    values.push(row.value)
  }
  return values
}
