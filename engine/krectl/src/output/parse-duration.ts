import { UsageError } from './exit-code.ts'

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `250ms`, `5s`, `10m`, `1h`, `7d` in milliseconds; a bare number is seconds. @throws UsageError. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim())
  if (match === null)
    throw new UsageError(`"${text}" is not a duration: write for example 500ms, 5s or 2m`)
  return Number(match[1]) * (UNITS_MS[match[2] ?? 's'] ?? 1_000)
}
