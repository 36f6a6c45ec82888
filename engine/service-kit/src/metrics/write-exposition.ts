/** Prometheus's text format, version 0.0.4. Pure. */
import { HISTOGRAM_BOUNDS_S } from '@kre/contracts'
import { METRIC_HELP } from './metric-help.ts'

export type ExposedSeries = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly kind: 'counter' | 'gauge' | 'histogram'
  /** Of a histogram: the sum. */
  value: number
  /** Of a histogram: observations in each bucket, not cumulated. */
  buckets: readonly number[]
}

/** Series of one name follow each other, in the order of their first one. */
export function writeExposition(series: Iterable<ExposedSeries>): string {
  const byName = Map.groupBy(series, ({ name }) => name)
  const lines: string[] = []
  for (const [name, members] of byName) {
    lines.push(`# HELP ${name} ${escapeHelp(METRIC_HELP[name] ?? '')}`)
    lines.push(`# TYPE ${name} ${members[0]?.kind ?? 'untyped'}`)
    for (const member of members) {
      if (member.kind === 'histogram') lines.push(...histogramLines(member))
      else lines.push(`${name}${labelText(member.labels)} ${numberText(member.value)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function histogramLines({ name, labels, value, buckets }: ExposedSeries): string[] {
  const lines: string[] = []
  let total = 0
  for (const [i, count] of buckets.entries()) {
    total += count
    const bound = HISTOGRAM_BOUNDS_S[i]
    const le = bound === undefined ? '+Inf' : numberText(bound)
    lines.push(`${name}_bucket${labelText({ ...labels, le })} ${total}`)
  }
  lines.push(`${name}_sum${labelText(labels)} ${numberText(value)}`)
  lines.push(`${name}_count${labelText(labels)} ${total}`)
  return lines
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}
