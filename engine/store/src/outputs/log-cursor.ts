import { KreError } from '@kre/contracts'
import type { LogQuery } from '../ports/store.ts'

/** Place in the order of logs, after the last one of a page: date in milliseconds, then order of arrival. */
export type LogPosition = { readonly dateMs: number; readonly seq: number }

const CURSOR = /^(newest-first|oldest-first)\.(-?\d{1,16})\.(\d{1,16})$/

/** A position as callers carry it: opaque to them. */
export function toCursor(order: LogQuery['order'], position: LogPosition): string {
  return Buffer.from(`${order}.${position.dateMs}.${position.seq}`).toString('base64url')
}

/** @throws KreError `invalid-argument` when it isn't a cursor, or one of the other order. */
export function parseCursor(order: LogQuery['order'], cursor: string): LogPosition {
  const match = CURSOR.exec(Buffer.from(cursor, 'base64url').toString())
  if (match === null || match[1] !== order)
    throw new KreError(
      'invalid-argument',
      `the cursor "${cursor.slice(0, 100)}" is not one of a ${order} log search: start again without a cursor`,
    )
  return { dateMs: Number(match[2]), seq: Number(match[3]) }
}
