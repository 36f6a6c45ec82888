import { IN_FLIGHT_RECORD_BYTES, type InFlightCall, writeInFlightRecord } from '../in-flight.ts'

/** What a journal has in it. @param calls by slot; null = a free one. */
export function inFlightText(calls: readonly (InFlightCall | null)[]): string {
  const records = Buffer.alloc(calls.length * IN_FLIGHT_RECORD_BYTES)
  for (const [slot, call] of calls.entries()) writeInFlightRecord(records, slot, call)
  return records.toString('latin1')
}
