/**
 * `<workPath>/in-flight`: which requests are inside a handler, and until when. A process writes it, whoever supervises
 * the process reads it: during its life to find a thread that user code blocks, after its death to say what it took along.
 *
 * One record of fixed length per slot, overwritten in place: id, time, newline; a free slot is blank.
 */

export const IN_FLIGHT_FILE = 'in-flight'
export const IN_FLIGHT_RECORD_BYTES = 80

/**
 * The folder of a node that shares a process: inside that of the process's first node.
 *
 * @param index of the node in `NodeSpec.fused`.
 */
export function fusedWorkPath(workPath: string, index: number): string {
  return `${workPath}/f${index}`
}

/** Longest id, in characters; longer ones are cut. */
const ID_CHARS_MAX = 60
/** More calls than a process has at once; a longer file is none of ours. */
const CALLS_MAX = 4_096
const RECORD = /^[ \0]*([\x21-\x7e]{1,128})(?: +(\d{1,18}))?[ \0]*$/

export type InFlightCall = {
  readonly requestId: string
  /** When the process must have moved on, on the clock of `monotonicMs`; Infinity = never. */
  readonly dueMs: number
}

/** Milliseconds on a clock that all processes of a computer share and that nobody sets. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000
}

const NEWLINE = 0x0a
const BLANK = 0x20
const DIGIT_0 = 0x30

/**
 * A record, byte by byte: nodes write one for each call, and that takes a third of the time of putting strings together.
 *
 * @param records get it in the `IN_FLIGHT_RECORD_BYTES` bytes of this slot.
 * @param call of an id in ASCII; null = the slot is free.
 */
export function writeInFlightRecord(
  records: Uint8Array,
  slot: number,
  call: InFlightCall | null,
): void {
  const start = slot * IN_FLIGHT_RECORD_BYTES
  const id = call?.requestId ?? ''
  const idEnd = start + Math.min(id.length, ID_CHARS_MAX)
  for (let at = start; at < idEnd; at++) records[at] = id.charCodeAt(at - start)
  let at = start + IN_FLIGHT_RECORD_BYTES - 1
  records[at--] = NEWLINE
  let rest = call === null || call.dueMs === Infinity ? -1 : Math.max(0, Math.ceil(call.dueMs))
  while (rest >= 0 && at > idEnd) {
    const tenth = Math.floor(rest / 10)
    records[at--] = DIGIT_0 + rest - tenth * 10
    rest = tenth === 0 ? -1 : tenth
  }
  for (; at >= idEnd; at--) records[at] = BLANK
}

/** The taken slots; what is no record is left out. */
export function parseInFlight(content: string): InFlightCall[] {
  const calls: InFlightCall[] = []
  for (const line of content.split('\n')) {
    const [, requestId, due] = RECORD.exec(line) ?? []
    if (requestId === undefined) continue
    calls.push({ requestId, dueMs: due === undefined ? Infinity : Number(due) })
    if (calls.length === CALLS_MAX) break
  }
  return calls
}

/**
 * Whether the process can't be at work for anybody any more: it ends each call at its time by itself, so one that
 * has only calls beyond theirs has a thread that does not run. While one call still has time, it may go on.
 */
export function isBlocked(calls: readonly InFlightCall[], nowMs: number, graceMs: number): boolean {
  return calls.length > 0 && calls.every(({ dueMs }) => dueMs + graceMs < nowMs)
}
