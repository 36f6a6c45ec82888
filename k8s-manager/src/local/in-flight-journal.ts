import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IN_FLIGHT_FILE, type InFlightCall, parseInFlight } from '@kre/contracts'

/** The calls that are inside a handler of a replica's process, or were when it died. */
export function readInFlight(workPath: string): InFlightCall[] {
  const path = join(workPath, IN_FLIGHT_FILE)
  return existsSync(path) ? parseInFlight(readFileSync(path, 'latin1')) : []
}
