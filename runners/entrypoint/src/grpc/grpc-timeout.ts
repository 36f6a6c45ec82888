import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@kre/contracts/runtime'

const UNIT_MS: Readonly<Record<string, number>> = {
  H: HOUR_MS,
  M: MINUTE_MS,
  S: SECOND_MS,
  m: 1,
  u: 1e-3,
  n: 1e-6,
}

/**
 * Reads a `grpc-timeout` header: one to eight digits and a unit.
 *
 * @returns milliseconds, possibly a fraction; Infinity without a header; null when it is not a timeout.
 */
export function parseGrpcTimeout(header: string | undefined): number | null {
  if (header === undefined) return Infinity
  if (!/^\d{1,8}[HMSmun]$/.test(header)) return null
  return Number(header.slice(0, -1)) * (UNIT_MS[header.slice(-1)] ?? 0)
}
