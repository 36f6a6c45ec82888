import { MiB, type LogRecord } from '@kre/contracts'

/** Lines that followers may be behind by: some seconds of a chatty version. */
const LINES_MAX = 5_000
/** … and their characters, as a line may have 64 Ki of them. */
const CHARS_MAX = 8 * MiB
/** Old lines are dropped in one go when so much more has come together. */
const SLACK = 1.25

/** The newest lines of a log, numbered as they came, for readers that are each at a place of their own. */
export type LogRing = {
  /** Number of the oldest line that is still there. */
  readonly begin: number
  /** Number of the line that comes next. */
  readonly end: number
  at(number: number): LogRecord | undefined
  add(record: LogRecord): void
}

export function createLogRing(max = { lines: LINES_MAX, chars: CHARS_MAX }): LogRing {
  const records: LogRecord[] = []
  let begin = 0
  let chars = 0

  function dropOldest(): void {
    let dropped = 0
    // The newest line stays, however long it is.
    for (const [index, { message }] of records.slice(0, -1).entries()) {
      if (records.length - index <= max.lines && chars <= max.chars) break
      chars -= message.length
      dropped = index + 1
    }
    records.splice(0, dropped)
    begin += dropped
  }

  return {
    get begin() {
      return begin
    },
    get end() {
      return begin + records.length
    },
    at: (number) => records[number - begin],
    add(record) {
      records.push(record)
      chars += record.message.length
      if (records.length > max.lines * SLACK || chars > max.chars * SLACK) dropOldest()
    },
  }
}
