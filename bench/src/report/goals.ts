/** What the project wants of itself, by suite: the one place where these numbers are. */
import { type BenchReport, MEASURES } from './bench-report.ts'
import { digits } from './statistics.ts'

type Bound = { atMost: number } | { atLeast: number }
export type Goal = {
  suite: string
  /** A ratio or a figure of the suite's report, or `CASE.MEASURE`. */
  metric: string
  /** In words, for readers who do not know the metric's name. */
  what: string
} & Bound
/** `value` is null where the run has no such metric: then nobody knows whether the goal is met. */
export type JudgedGoal = { goal: Goal; value: number | null; isMet: boolean | null }

/** 60 MB, as people count them. */
const RUNNER_MIB_MAX = 60_000_000 / 1024 / 1024
/** Heaps move by some MiB as they like: that is what 10 bytes are over half a million requests. */
const GROWTH_BYTES_MAX = 10
/** Of answers to calls that there is no room for. */
const REFUSAL_MS_MAX = 50

/** Requests per second of `ours` against the peer's. */
const faster = (ours: string, peer: string, atLeast: number): Goal => ({
  suite: 'peers',
  metric: `${ours}RateVs_${peer}`,
  what: `three ${ours === 'chain3' ? 'TypeScript' : 'Python'} nodes against ${peer}: requests/s`,
  atLeast,
})
const flat = (process: string): Goal => ({
  suite: 'memory',
  metric: `${process}.growthBytesPerRequest`,
  what: `memory of ${process} per request, one in ten of which fails, bytes`,
  atMost: GROWTH_BYTES_MAX,
})
const refused = (factor: number): Goal => ({
  suite: 'overload',
  metric: `overload${factor}x.refusedP99Ms`,
  what: `${factor} x capacity: p99 of a refusal, ms`,
  atMost: REFUSAL_MS_MAX,
})

/** Lists of the suite `control`. */
const LISTS = [
  'runtimes',
  'versions',
  'versionsPage',
  'users',
  'activities',
  'logs',
  'logsOfVersion',
  'logsErrorsOfNode',
  'logsErrorsOfAll',
  'logsOfText',
  'logsOfNoText',
  'logsOfRequest',
]
const LIST_MS_MAX = 50
/** Of a store that is a server. */
const LIST_MS_MAX_MONGO = 2 * LIST_MS_MAX
const quick = (list: string): Goal => ({
  suite: 'control',
  metric: `${list}.p95Ms`,
  what: `list "${list}": p95, ms`,
  atMost: LIST_MS_MAX,
})
const quickOnMongo = (list: string): Goal => ({
  suite: 'control-mongo',
  metric: `${list}.p95Ms`,
  what: `list "${list}" on MongoDB: p95, ms`,
  atMost: LIST_MS_MAX_MONGO,
})
/** A chunk for each, twice, and what a heap does as it likes. */
const STALLED_GROWTH_MIB_MAX = 32

// oxfmt-ignore
export const GOALS: readonly Goal[] = [
  { suite: 'chains', metric: 'chain3CpuVsFloor', what: 'three nodes: CPU against a bare echo', atMost: 3 },
  { suite: 'chains', metric: 'chain3.p50Ms', what: 'three nodes, one request at a time: p50, ms', atMost: 1 },
  { suite: 'hop', metric: 'hopP50Ms', what: 'one more node: p50, ms', atMost: 0.25 },
  { suite: 'hop', metric: 'hopCpuMicros', what: 'one more node: CPU, us', atMost: 30 },
  { suite: 'load', metric: 'inFlight64.requestsPerSecond', what: 'three nodes, 64 in flight: requests/s', atLeast: 8_000 },
  { suite: 'load', metric: 'inFlight128.requestsPerSecond', what: 'three nodes, 128 in flight: requests/s', atLeast: 10_000 },
  { suite: 'load', metric: 'halfLoadP99VsP50', what: 'three nodes at half load: p99 against p50', atMost: 3 },
  { suite: 'fused', metric: 'fused3CpuVsFloor', what: 'three nodes in one process: CPU against a bare echo', atMost: 2.3 },
  { suite: 'python', metric: 'pythonMoreCpuMicros@1', what: 'a Python node in place of a TypeScript node: CPU, us', atMost: 120 },
  { suite: 'python', metric: 'pythonMoreCpuMicros@3', what: 'the same, each of three', atMost: 120 },
  { suite: 'batch', metric: 'batchGain', what: 'batches against single messages: requests/s', atLeast: 3.7 },
  { suite: 'payload', metric: 'hopCpuMicros@64KiB', what: '64 KiB, one more node: CPU, us', atMost: 150 },
  { suite: 'payload', metric: 'chain3@64KiB.requestsPerSecond', what: '64 KiB through three nodes: requests/s', atLeast: 2_000 },
  { suite: 'payload', metric: 'chain3P50VsFloor@1MB', what: '1 MB through three nodes: p50 against a bare echo', atMost: 3 },
  { suite: 'stream', metric: 'hopFirstMessageMs', what: 'stream, one more node: time to the first message, ms', atMost: 1 },
  { suite: 'overload', metric: 'goodput4xVsCapacity', what: '4 x capacity: answers/s against capacity', atLeast: 0.8 },
  refused(4),
  refused(10),
  { suite: 'memory', metric: 'n1.idleMiB', what: 'a TypeScript node without a call, MiB (60 MB)', atMost: RUNNER_MIB_MAX },
  ...['entrypoint', 'n1', 'n2', 'n3'].map(flat),
  ...LISTS.map(quick),
  ...LISTS.map(quickOnMongo),
  { suite: 'control', metric: 'ingestLinesPerSecond', what: 'log lines into the store, beside predictions: lines/s', atLeast: 10_000 },
  { suite: 'control', metric: 'predictionsP99UnderIngest', what: 'p99 of predictions beside so many lines, against without', atMost: 1.1 },
  { suite: 'subscribers', metric: 'eventsMissed', what: 'events that a reading one of 1,000 subscribers has missed', atMost: 0 },
  { suite: 'subscribers', metric: 'stalledGrowthMiB', what: 'memory of the engine while 48 of 1,000 subscribers take nothing, MiB', atMost: STALLED_GROWTH_MIB_MAX },
  { suite: 'subscribers', metric: 'delayBesideStalledVsAlone', what: 'delay of the others then, against without', atMost: 1.5 },
  faster('chain3', 'ray-serve', 60),
  faster('chain3', 'bentoml', 25),
  faster('chain3', 'mlserver', 12),
  faster('chain3', 'moleculer', 2),
  faster('python3', 'ray-serve', 20),
  faster('python3', 'bentoml', 8),
  faster('python3', 'mlserver', 4),
]

/** The goals of the report's suite, each with what the run has for it. */
export function judge(report: BenchReport): JudgedGoal[] {
  return GOALS.filter(({ suite }) => suite === report.suite).map((goal) => {
    const value = metricOf(report, goal.metric)
    if (value === null) return { goal, value, isMet: null }
    return { goal, value, isMet: 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast }
  })
}

/** @returns null when there is no such metric, or no number for it. */
function metricOf(report: BenchReport, metric: string): number | null {
  const dot = metric.lastIndexOf('.')
  const measure = MEASURES.find((one) => one === metric.slice(dot + 1))
  const found = report.cases.find(({ name }) => name === metric.slice(0, dot))
  const ofCase = measure === undefined ? undefined : found?.[measure]
  const value = report.ratios[metric] ?? report.figures[metric] ?? ofCase
  // JSON has null where there was no number.
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** `at most 3.00`. */
export function boundText(goal: Goal): string {
  return 'atMost' in goal ? `at most ${digits(goal.atMost)}` : `at least ${digits(goal.atLeast)}`
}

export function verdict({ isMet }: JudgedGoal): string {
  if (isMet === null) return 'not measured'
  return isMet ? 'met' : 'missed'
}
