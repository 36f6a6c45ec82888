import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import type { Computer } from '../report/bench-report.ts'

const GIB = 1024 ** 3

/** What figures depend on, and can't be seen from them. */
export function describeComputer(): Computer {
  const model = cpus()[0]?.model.trim() ?? 'unknown'
  return {
    processors: `${availableParallelism()} x ${model}`,
    memoryGiB: Math.round(totalmem() / GIB),
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
    measuredAt: new Date().toISOString(),
  }
}
