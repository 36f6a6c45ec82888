import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SQLInputValue } from 'node:sqlite'
import type { FieldCondition } from '../outputs/document-query.ts'
import type { Database, Row } from './database.ts'

/** Documents looked at before other work of the process gets its turn. */
const SLICE_ROWS = 2_000

type Condition = { readonly sql: string; readonly params: readonly SQLInputValue[] }

/** Documents that meet all conditions, oldest first. Every collection is read through: equality has no index. */
export async function findDocuments(
  db: Database,
  where: { runtimeId: string; collection: string },
  conditions: readonly FieldCondition[],
  limit: number,
): Promise<Record<string, unknown>[]> {
  const parts = conditions.map(toCondition)
  const sql = parts.map((part) => ` AND (${part.sql})`).join('')
  const params = parts.flatMap((part) => part.params)
  const found: string[] = []
  let after = 0
  while (found.length < limit) {
    const end =
      db.get<Row & { seq: number }>(
        `SELECT seq FROM documents WHERE runtime_id = ? AND collection = ? AND seq > ?
         ORDER BY seq LIMIT 1 OFFSET ${SLICE_ROWS - 1}`,
        where.runtimeId,
        where.collection,
        after,
      )?.seq ?? null
    const rows = db.all<Row & { document: string }>(
      `SELECT document FROM documents WHERE runtime_id = ? AND collection = ? AND seq > ? AND seq <= ?${sql}
       ORDER BY seq LIMIT ?`,
      where.runtimeId,
      where.collection,
      after,
      end ?? Number.MAX_SAFE_INTEGER,
      ...params,
      limit - found.length,
    )
    found.push(...rows.map((row) => row.document))
    if (end === null) break
    after = end
    await nextTurn()
  }
  return found.map((document) => JSON.parse(document) as Record<string, unknown>)
}

/** Names were checked by the parser of queries; they and all values travel as parameters. */
function toCondition({ path, value }: FieldCondition): Condition {
  const at = `$${path.map((name) => `."${name}"`).join('')}`
  // json_each gives a scalar as itself and an array's elements; an object's members are nobody's value.
  const some = (test: string, ...params: SQLInputValue[]): Condition => ({
    sql: `json_type(document, ?) <> 'object' AND EXISTS (SELECT 1 FROM json_each(document, ?) WHERE ${test})`,
    params: [at, at, ...params],
  })
  if (value === null) {
    const present = some(`type = 'null'`)
    return {
      sql: `json_type(document, ?) IS NULL OR (${present.sql})`,
      params: [at, ...present.params],
    }
  }
  if (typeof value === 'string') return some(`type = 'text' AND value = ?`, value)
  if (typeof value === 'number') return some(`type IN ('integer', 'real') AND value = ?`, value)
  if (typeof value === 'boolean') return some(`type = '${value}'`)
  const json = JSON.stringify(value)
  const element = some(`type IN ('object', 'array') AND value = ?`, json)
  return {
    sql: `(document -> ?) = ? OR (${element.sql})`,
    params: [at, json, ...element.params],
  }
}
