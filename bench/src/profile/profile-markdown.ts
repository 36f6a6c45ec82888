import { digits } from '../report/statistics.ts'
import { markdownTable } from '../report/markdown-table.ts'
import { CATEGORIES, type Category, type SelfTime } from './self-times.ts'

export type ProcessProfile = {
  name: string
  /** By the kernel's clock, while it was profiled. */
  userMicros: number
  systemMicros: number
  /** By the profiler; empty for a process that is not Node.js. */
  selfTimes: readonly SelfTime[]
}
export type Profile = {
  suite: string
  caseName: string
  /** Answered while it was profiled. */
  requests: number
  processes: readonly ProcessProfile[]
}

const TOP = 15

/** Two tables: microseconds per request by process and category, and the functions that take most. */
export function profileMarkdown({ suite, caseName, requests, processes }: Profile): string {
  const scaled = processes.map(byKernelClock)
  const each = (micros: number) => digits(micros / requests)
  const row = (title: string, microsOf: (process: ProcessProfile) => number) => {
    const all = scaled.map(microsOf)
    return [title, ...all.map(each), each(all.reduce((sum, one) => sum + one, 0))]
  }
  const inCategory = (process: ProcessProfile, category: Category) =>
    process.selfTimes
      .filter((one) => one.category === category)
      .reduce((sum, { micros }) => sum + micros, 0)
  const byProcess = markdownTable(
    ['', ...processes.map(({ name }) => name), 'all'],
    [
      row('processor time', ({ userMicros, systemMicros }) => userMicros + systemMicros),
      row('of it in the kernel', ({ systemMicros }) => systemMicros),
      ...CATEGORIES.map((category) => row(category, (process) => inCategory(process, category))),
    ],
  )
  const byFunction = markdownTable(
    ['function', 'category', 'us/request'],
    topOf(scaled).map(({ name, category, micros }) => [name, category, each(micros)]),
    2,
  )
  return [
    `Microseconds per request of \`${caseName}\` (suite \`${suite}\`), ${requests} requests while the profiler looked.`,
    byProcess,
    byFunction,
  ].join('\n\n')
}

/**
 * The profiler's clock runs on while a process that could run has to wait for a processor: its shares are right, its
 * times too long. So the shares are of the time that the kernel has counted.
 */
function byKernelClock(process: ProcessProfile): ProcessProfile {
  const seen = process.selfTimes.reduce((sum, { micros }) => sum + micros, 0)
  const factor = (process.userMicros + process.systemMicros) / Math.max(1, seen)
  const times = process.selfTimes.map((one) => ({ ...one, micros: one.micros * factor }))
  return { ...process, selfTimes: times }
}

function topOf(processes: readonly ProcessProfile[]): SelfTime[] {
  const sums = new Map<string, SelfTime>()
  for (const one of processes.flatMap(({ selfTimes }) => selfTimes)) {
    const known = sums.get(one.name)
    sums.set(one.name, { ...one, micros: one.micros + (known?.micros ?? 0) })
  }
  return [...sums.values()].toSorted((a, b) => b.micros - a.micros).slice(0, TOP)
}
