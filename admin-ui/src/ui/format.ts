/** Numbers as people read them at a glance. Pure. */

const KIB = 1024

/** `850 µs`, `12.3 ms`, `4.21 s`; a dash where nothing was measured. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return '–'
  if (ms < 1) return `${Math.round(ms * 1000)} µs`
  if (ms < 1000) return `${significant(ms)} ms`
  return `${significant(ms / 1000)} s`
}

/** Per second. */
export function formatRate(rate: number | null | undefined): string {
  if (rate === null || rate === undefined) return '–'
  return rate === 0 ? '0/s' : `${significant(rate)}/s`
}

export function formatBytes(bytes: number): string {
  if (bytes < KIB) return `${bytes} B`
  if (bytes < KIB ** 2) return `${significant(bytes / KIB)} KiB`
  if (bytes < KIB ** 3) return `${significant(bytes / KIB ** 2)} MiB`
  return `${significant(bytes / KIB ** 3)} GiB`
}

/** Three digits at most before it gets longer than that: 0.42, 4.21, 42.1, 421, 4210. */
function significant(value: number): string {
  if (value >= 100) return String(Math.round(value))
  return String(Number(value.toPrecision(3)))
}
