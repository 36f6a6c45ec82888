/** What a row and the details show of a line, which may be some megabytes long. Pure. */

/** Of a row: nobody reads more than so much of it, and no screen is wider. */
const ROW_CHARS_MAX = 500
/** Of the details at first, and with each click more. */
export const SHOWN_CHARS = 20_000

export type RowText = { readonly text: string; readonly moreLines: number }

/** Counting the lines of a long message takes longer than drawing it: once for each line. */
const known = new WeakMap<object, RowText>()

/** A row is one line high: the first line of the message, and how many follow. */
export function rowText(line: { readonly message: string }): RowText {
  const found = known.get(line)
  if (found !== undefined) return found
  const { message } = line
  const end = message.indexOf('\n')
  const made = {
    text: message.slice(0, end < 0 ? ROW_CHARS_MAX : Math.min(end, ROW_CHARS_MAX)),
    moreLines: end < 0 ? 0 : countLines(message, end),
  }
  known.set(line, made)
  return made
}

/** Behind a first line that ends at `end`; an empty one at the end of the message is none. */
function countLines(message: string, end: number): number {
  let lines = 0
  for (let at = end; at >= 0 && at < message.length - 1; at = message.indexOf('\n', at + 1))
    lines += 1
  return lines
}
