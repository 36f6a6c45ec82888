import { GiB, KiB, MiB } from '@kre/contracts'
import { UsageError } from './exit-code.ts'

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB,
  MiB,
  GiB,
  TiB: 1_024 * GiB,
}

/** `512MiB`, `1.5GiB` or a bare number in bytes. @param what names the option in the error. @throws UsageError. */
export function parseBytes(what: string, text: string): number {
  const [, number, unit = 'B'] = /^(\d{1,15}(?:\.\d{1,3})?) ?([KMGT]iB|B)?$/.exec(text.trim()) ?? []
  const bytes = Number(number) * (UNITS[unit] ?? Number.NaN)
  if (Number.isSafeInteger(Math.round(bytes))) return Math.round(bytes)
  throw new UsageError(`${what}: "${text}" is not a size: write for example 512MiB or 2GiB`)
}
