const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}
const QUANTITY =
  /^\+?(?<number>\d+(?:\.\d*)?|\.\d+)(?:[eE](?<exponent>[+-]?\d{1,3})|(?<suffix>m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/

/** A Kubernetes quantity (`250m`, `1.5`, `1e3`, `512Mi`) as a number of `unit`s, rounded up; null when it is none, or 0. */
export function parseQuantity(text: string, unit: 'milli' | 'one'): number | null {
  const groups = QUANTITY.exec(text)?.groups
  if (groups === undefined) return null
  const factor = FACTORS[groups['suffix'] ?? ''] ?? 1
  const amount = Number(groups['number']) * factor * 10 ** Number(groups['exponent'] ?? 0)
  const exact = amount * (unit === 'milli' ? 1e3 : 1)
  // Decimal fractions are inexact: 0.0011 * 1000 gives 1.1000000000000001, which must not round up to more.
  const scaled = Number.isInteger(exact) ? exact : Math.ceil(Number(exact.toPrecision(14)))
  return scaled > 0 && Number.isSafeInteger(scaled) ? scaled : null
}

/** `0.25` CPUs -> `250m`. */
export function formatCpu(millis: number): string {
  return millis % 1_000 === 0 ? String(millis / 1_000) : `${millis}m`
}

/** Bytes in the largest binary unit that divides them. */
export function formatMemory(bytes: number): string {
  for (const suffix of ['Ti', 'Gi', 'Mi', 'Ki']) {
    const factor = FACTORS[suffix] ?? 1
    if (bytes % factor === 0) return `${bytes / factor}${suffix}`
  }
  return String(bytes)
}

/** `30m`, `12h`, `5d`: whole seconds, minutes, hours or days. */
export const DURATION = /^[1-9]\d{0,6}(?:s|m|h|d)$/
