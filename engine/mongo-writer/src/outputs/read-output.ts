import { OutputRecord } from '@kre/contracts'
import { parseOutputSubject } from './parse-output-subject.ts'

export type ReadOutput = { ok: true; record: OutputRecord } | { ok: false; reason: string }

/** Longest reason, in characters: it may quote the message. */
const REASON_CHARS_MAX = 300

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** One message of a runtime's outputs stream as a record. What it says of its origin must agree with its subject. */
export function readOutput(
  runtimeId: string,
  message: { subject: string; data: Uint8Array },
): ReadOutput {
  const subject = parseOutputSubject(message.subject)
  if (subject === null || subject.runtimeId !== runtimeId)
    return refuse(`the subject "${message.subject}" is not one of runtime "${runtimeId}"'s outputs`)
  const json = parseJson(message.data)
  if (!json.ok) return json
  const parsed = OutputRecord.safeParse(json.value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return refuse(`not an output: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const record = withOwnNames(parsed.data, json.value)
  for (const [field, told] of Object.entries(subject)) {
    // A process of the version itself, its entrypoint, may speak of any workflow of it.
    if (field === 'workflow' && told === null) continue
    const claimed = record[field as keyof typeof subject]
    if (claimed !== told)
      return refuse(`it claims the ${field} "${claimed}", but its subject says "${told}"`)
  }
  return { ok: true, record }
}

/** The schema drops `__proto__` from maps; a document keeps every name that its author gave. */
function withOwnNames(record: OutputRecord, json: unknown): OutputRecord {
  if (record.kind !== 'document') return record
  const { document } = json as { document: Record<string, unknown> }
  return { ...record, document }
}

function parseJson(data: Uint8Array): { ok: true; value: unknown } | { ok: false; reason: string } {
  try {
    return { ok: true, value: JSON.parse(utf8.decode(data)) }
  } catch (error) {
    return refuse(`not JSON in UTF-8: ${String(error)}`)
  }
}

function refuse(reason: string): { ok: false; reason: string } {
  return { ok: false, reason: reason.slice(0, REASON_CHARS_MAX) }
}
