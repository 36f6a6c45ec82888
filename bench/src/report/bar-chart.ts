import type { BenchReport, Measure } from './bench-report.ts'
import { digits } from './statistics.ts'

const BAR = 18
const GAP = 8
const LABEL = 150
const PLOT = 420
const VALUE = 70
const PAD = 16
const TITLE = 34
const CHART_GAP = 18

const CHARTS: [Measure, string][] = [
  ['cpuMicrosPerRequest', 'CPU per request, us (all processes; less is better)'],
  ['requestsPerSecond', 'Requests per second under load (more is better)'],
  ['p50Ms', 'Median latency, ms (less is better)'],
]

/** Bars of the medians with lines from the least to the greatest round, as a self-contained SVG for light and dark pages. */
export function barChart(report: BenchReport): string {
  const parts: string[] = []
  let y = PAD
  for (const [measure, title] of CHARTS) {
    parts.push(`<text class="title" x="${PAD}" y="${y + 14}">${title}</text>`)
    y += TITLE - GAP
    const rangeOf = (name: string) => report.spreads[name]?.[measure] ?? [0, 0]
    const most = Math.max(...report.cases.map(({ name }) => rangeOf(name)[1]), Number.MIN_VALUE)
    const scale = (value: number) => (value / most) * PLOT
    for (const entry of report.cases) {
      const [min, max] = rangeOf(entry.name)
      const x = PAD + LABEL
      const middle = y + BAR / 2
      const kind = /^(?:nats)?floor/i.test(entry.name) ? 'floor' : 'case'
      parts.push(
        `<text class="label" x="${x - 8}" y="${middle + 4}">${escapeXml(entry.name)}</text>`,
        `<rect class="${kind}" x="${x}" y="${y}" width="${scale(entry[measure]).toFixed(1)}" height="${BAR}"/>`,
        `<line x1="${(x + scale(min)).toFixed(1)}" x2="${(x + scale(max)).toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
        `<text x="${(x + scale(max) + 6).toFixed(1)}" y="${middle + 4}">${digits(entry[measure])}</text>`,
      )
      y += BAR + GAP
    }
    y += CHART_GAP
  }
  const width = PAD * 2 + LABEL + PLOT + VALUE
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img">
<title>${escapeXml(report.suite)}: medians of ${report.rounds} rounds, lines from the least to the greatest</title>
<style>
svg { background: #fff; color: #1c2733 }
text { font: 12px system-ui, sans-serif; fill: currentColor }
.title { font-weight: 600 }
.label { text-anchor: end }
.case { fill: #2f7dd1 }
.floor { fill: #9aa7b4 }
line { stroke: currentColor; stroke-width: 2 }
@media (prefers-color-scheme: dark) { svg { background: #14191f; color: #e6edf3 } }
</style>
${parts.join('\n')}
</svg>
`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
