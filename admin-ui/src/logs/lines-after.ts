/**
 * Lines behind a moment. The engine answers the newest lines of a range first, so that a range has to be found that
 * holds some, and not too many. No DOM, no React.
 */
import type { LogLine } from '../gen/documents.ts'

type ReadRange = (
  range: { readonly fromMs: number; readonly toMs: number },
  limit: number,
) => Promise<{ readonly cursor: string | null; readonly items: readonly LogLine[] }>

const FIRST_SPAN_MS = 2_000
const FACTOR = 8
/** From two seconds to two weeks, and back to less than a millisecond. */
const TRIES_MAX = 16

/**
 * @param read newest first; a cursor says that the range holds more.
 * @param nowMs nothing is looked for behind it.
 * @returns oldest first, about `limit` of them at most; fewer where there are fewer until now.
 */
export async function linesAfter(
  read: ReadRange,
  fromMs: number,
  nowMs: number,
  limit: number,
): Promise<readonly LogLine[]> {
  let spanMs = FIRST_SPAN_MS
  let wasTooLong = false
  for (let tries = 1; ; tries += 1) {
    const toMs = Math.min(fromMs + spanMs, nowMs)
    const { cursor, items } = await read({ fromMs, toMs }, limit)
    const isTooLong = cursor !== null
    const isEnough = !isTooLong && (items.length >= limit / 4 || toMs >= nowMs || wasTooLong)
    if (isEnough || tries >= TRIES_MAX || (isTooLong && spanMs <= 1)) return items.toReversed()
    wasTooLong ||= isTooLong
    spanMs = isTooLong ? Math.max(1, Math.floor(spanMs / FACTOR)) : spanMs * FACTOR
  }
}
