import { UsageError } from './exit-code.ts'

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
/** Ten years: more is a slip, and would leave the range of dates. */
const DURATION_MS_MAX = 3_650 * 86_400_000

/** `250ms`, `5s`, `10m`, `1h`, `7d` in milliseconds; a bare number is seconds. @throws UsageError. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim())
  const milliseconds = Number(match?.[1]) * (UNITS_MS[match?.[2] ?? 's'] ?? 1_000)
  if (match === null || milliseconds > DURATION_MS_MAX)
    throw new UsageError(
      `"${text}" is not a duration: write for example 500ms, 5s or 2m (at most 3650d)`,
    )
  return milliseconds
}

/** A whole number from 0 up. @param what names the option in the error. @throws UsageError. */
export function parseCount(what: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${what}: "${text}" is not a whole number`)
  return Number(text)
}
