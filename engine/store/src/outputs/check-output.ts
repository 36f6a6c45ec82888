import { KiB, MiB, type OutputRecord } from '@kre/contracts'

/** Largest stored record: MongoDB's document limit with room for the engine's own fields. */
const RECORD_BYTES_MAX = 15 * MiB
/**
 * UTF-16 code units of a log message. Four times what a node's runner sends: a page of logs must fit into memory,
 * whoever wrote them. The writer cuts longer ones.
 */
export const LOG_MESSAGE_CHARS_MAX = 64 * KiB
/** Objects inside objects of a user's document or `extra`. */
const RECORD_DEPTH_MAX = 32

/** Nanoseconds since 1970 between the years 1677 and 2262: a signed 64-bit number, as InfluxDB has it. */
const TIME_NS = /^-?\d{1,19}$/
const TIME_NS_MAX = 2n ** 63n - 1n

/**
 * Why a well-formed record can't be stored, in any store; null = it can.
 * Its size is checked last and apart (`refusedBytes`), where its JSON is made anyway.
 */
export function refusalOf(record: OutputRecord): string | null {
  if (record.id === '') return 'the id is empty'
  switch (record.kind) {
    case 'log':
      if (record.message.length > LOG_MESSAGE_CHARS_MAX)
        return `the message has ${record.message.length} characters, and at most ${LOG_MESSAGE_CHARS_MAX} are stored`
      return refusedDate(record.date)
    case 'prediction':
      return refusedDate(record.date) ?? refusedDepth('extra', record.extra)
    case 'measurement':
      if (record.measurement === '') return 'the measurement has no name'
      return measurementMs(record.timeNs) === null
        ? `timeNs "${record.timeNs.slice(0, 40)}" is not a number of nanoseconds in 64 bits`
        : null
    case 'document':
      if (record.collection === '') return 'the collection has no name'
      return refusedDepth('document', record.document)
  }
}

/** @param bytes of the record's JSON in UTF-8. */
export function refusedBytes(bytes: number): string | null {
  return bytes > RECORD_BYTES_MAX
    ? `the record has ${bytes} bytes, and at most ${RECORD_BYTES_MAX} are stored`
    : null
}

/** Milliseconds since 1970 of a measurement; null when `timeNs` is no 64-bit number. */
export function measurementMs(timeNs: string): number | null {
  if (!TIME_NS.test(timeNs)) return null
  const ns = BigInt(timeNs)
  return ns > TIME_NS_MAX || ns < -TIME_NS_MAX ? null : Number(ns / 1_000_000n)
}

function refusedDate(date: string): string | null {
  return Number.isNaN(Date.parse(date)) ? `the date "${date.slice(0, 40)}" is not a date` : null
}

function refusedDepth(field: string, value: unknown): string | null {
  return isDeeper(value, RECORD_DEPTH_MAX)
    ? `"${field}" is nested deeper than ${RECORD_DEPTH_MAX}`
    : null
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1))
}
