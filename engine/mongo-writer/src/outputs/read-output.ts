import { LogBatch, logRecordsOf, MiB, OutputRecord } from '@kre/contracts'
import { LOG_MESSAGE_CHARS_MAX } from '@kre/store'
import { cutMessage } from './cut-message.ts'
import { escapeBytes } from './escape-bytes.ts'
import { parseOutputSubject, type OutputSubject } from './parse-output-subject.ts'

/** One record, or the lines of a message that has many. */
export type ReadOutput = { ok: true; records: OutputRecord[] } | { ok: false; reason: string }

/** A larger message with other bytes is no log line: spelled out it may be five times as large. */
const ESCAPED_BYTES_MAX = MiB
/** Longest reason, in characters: it may quote the message. */
const REASON_CHARS_MAX = 300

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * One message of a runtime's outputs stream as records. What it says of its origin must agree with its subject.
 *
 * A log line is for reading, so more is forgiven it: bytes that are no UTF-8 are spelled out, and a long message is cut.
 */
export function readOutput(
  runtimeId: string,
  message: { subject: string; data: Uint8Array },
): ReadOutput {
  const subject = parseOutputSubject(message.subject)
  if (subject === null || subject.runtimeId !== runtimeId)
    return refuse(`the subject "${message.subject}" is not one of runtime "${runtimeId}"'s outputs`)
  const json = parseJson(message.data, subject.kind === 'log')
  if (!json.ok) return json
  const parsed = parseRecords(json.value)
  if (!parsed.ok) return parsed
  const records = parsed.records.map((record) => asStored(record, json.value))
  // Lines of one message share their origin.
  const [first] = records
  const lie = first === undefined ? null : contradiction(first, subject)
  return lie === null ? { ok: true, records } : refuse(lie)
}

function parseRecords(value: unknown): ReadOutput {
  const isBatch = typeof value === 'object' && value !== null && 'kind' in value
  if (isBatch && value.kind === 'logs') {
    const parsed = LogBatch.safeParse(value)
    if (parsed.success) return { ok: true, records: logRecordsOf(parsed.data) }
    return noOutput(parsed.error.issues)
  }
  const parsed = OutputRecord.safeParse(value)
  return parsed.success ? { ok: true, records: [parsed.data] } : noOutput(parsed.error.issues)
}

function noOutput([issue]: readonly { path: PropertyKey[]; message: string }[]): ReadOutput {
  return refuse(`not an output: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

/** What a record says of its origin that its subject does not; null = nothing. */
function contradiction(record: OutputRecord, subject: OutputSubject): string | null {
  for (const [field, told] of Object.entries(subject)) {
    // A process of the version itself, its entrypoint, may speak of any workflow of it.
    if (field === 'workflow' && told === null) continue
    const claimed = record[field as keyof OutputSubject]
    if (claimed !== told)
      return `it claims the ${field} "${claimed}", but its subject says "${told}"`
  }
  return null
}

function asStored(record: OutputRecord, json: unknown): OutputRecord {
  if (record.kind === 'log')
    return record.message.length <= LOG_MESSAGE_CHARS_MAX
      ? record
      : { ...record, message: cutMessage(record.message, LOG_MESSAGE_CHARS_MAX) }
  if (record.kind !== 'document') return record
  // The schema drops `__proto__` from maps; a document keeps every name that its author gave.
  const { document } = json as { document: Record<string, unknown> }
  return { ...record, document }
}

function parseJson(
  data: Uint8Array,
  mayHaveOtherBytes: boolean,
): { ok: true; value: unknown } | { ok: false; reason: string } {
  try {
    return { ok: true, value: JSON.parse(textOf(data, mayHaveOtherBytes)) }
  } catch (error) {
    return refuse(`not JSON in UTF-8: ${String(error)}`)
  }
}

function textOf(data: Uint8Array, mayHaveOtherBytes: boolean): string {
  try {
    return utf8.decode(data)
  } catch (error) {
    if (mayHaveOtherBytes && data.length <= ESCAPED_BYTES_MAX) return escapeBytes(data)
    throw error
  }
}

function refuse(reason: string): { ok: false; reason: string } {
  return { ok: false, reason: reason.slice(0, REASON_CHARS_MAX) }
}
