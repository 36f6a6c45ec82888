/** More than there is room for: what is still answered, how fast, what it costs in memory, and how soon it is over. */
import { type Bench, ECHO_PATH, type Suite } from '../bench.ts'
import { slowNode } from '../engine/bundles.ts'
import type { ProbeResult } from '../measure/grpc-probe.ts'
import type { Target } from '../measure/h2load.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { type Named, watchMemory } from '../measure/memory-watch.ts'
import { overloadOnce } from '../measure/overload-once.ts'
import { planRounds } from '../measure/plan-rounds.ts'
import { steadyAfterMs } from '../measure/steady-after.ts'
import { median, quantile } from '../report/statistics.ts'
import { type Sample, summarise } from '../report/summarise.ts'

/** A model that takes 10 ms, eight at once: some 700 requests/s, so that a generator can be ten times faster. */
const HANDLER_MS = 10
const CONCURRENCY = 8
const FACTORS = [1, 4, 10]
/** Of every call: who waits longer has gone. */
const DEADLINE_MS = 1_000
const CAPACITY_SECONDS = 40
/** As usual again: so many times what a call takes when there is no overload. */
const STEADY_FACTOR = 3
/** gRPC RESOURCE_EXHAUSTED: the answer to a call that there is no room for. */
const REFUSED = 8

export const overload: Suite = {
  name: 'overload',
  about:
    'a slow node at 1, 4 and 10 times what it can do: answers, refusals, memory, the time after',
  minutes: 2.5,
  async run(bench) {
    const floors = await bench.floors()
    const { port, pids } = await bench.engine.start(slowNode('slow', HANDLER_MS, CONCURRENCY))
    const capacity = await bench.echoTarget(port)
    const samples = await measureInterleaved(
      bench,
      [...floors, { name: 'capacity', target: capacity, pids }],
      { budgetSeconds: CAPACITY_SECONDS },
    )
    const target: Target = {
      ...capacity,
      headers: ['content-type: application/grpc', 'te: trailers', `grpc-timeout: ${DEADLINE_MS}m`],
    }
    const rounds = samples.get('capacity') ?? []
    const perSecond = Math.max(...rounds.map((round) => round.requestsPerSecond))
    const usualMs = median(rounds.map((round) => round.p50Ms))
    const figures: Record<string, number> = { capacityPerSecond: perSecond }
    const notes: string[] = []
    const named = Object.fromEntries(
      (await bench.engine.processes('slow')).map(({ node, role, pid }) => [node ?? role, pid ?? 0]),
    )
    for (const factor of FACTORS) {
      const load = { target, pids, offered: perSecond * factor, usualMs, named }
      const found = await overloadRounds(bench, factor, load)
      samples.set(`overload${factor}x`, found.samples)
      Object.assign(figures, found.figures)
      notes.push(found.note)
    }
    const report = summarise('overload', samples, {
      figures,
      notes,
      latency: 'one request at a time; under overload, answered calls beside the load',
    })
    const goodput = (factor: number) =>
      report.cases.find(({ name }) => name === `overload${factor}x`)?.requestsPerSecond ?? 0
    return {
      ...report,
      ratios: Object.fromEntries(
        FACTORS.map((factor) => [`goodput${factor}xVsCapacity`, goodput(factor) / perSecond]),
      ),
    }
  },
}

type Load = {
  target: Target
  pids: readonly number[]
  /** Requests per second. */
  offered: number
  usualMs: number
  named: Named
}

async function overloadRounds(bench: Bench, factor: number, load: Load) {
  const { isQuick, rounds, say } = bench
  const name = `overload${factor}x`
  const plan = planRounds(1, { isQuick, rounds, hasAlone: false })
  using memory = watchMemory(load.named)
  const samples: Sample[] = []
  const probed: ProbeResult[] = []
  const steady: (number | null)[] = []
  while (samples.length < plan.rounds) {
    say(`${factor} times the capacity, round ${samples.length + 1} of ${plan.rounds}`)
    const fastMs = load.usualMs * STEADY_FACTOR
    const once = { ...load, seconds: plan.loadSeconds, deadlineMs: DEADLINE_MS, fastMs }
    const found = await overloadOnce(bench, ECHO_PATH, once)
    steady.push(steadyAfterMs(found.probed, found.endMs, fastMs))
    probed.push(...found.probed.filter(({ beganMs }) => beganMs < found.endMs))
    samples.push(found.sample)
  }
  const figures: Record<string, number> = latencyFigures(name, probed)
  for (const [process, mib] of Object.entries(memory.peaks()))
    figures[`${name}.${process}PeakMiB`] = mib
  const settled = steady.filter((ms) => ms !== null)
  if (settled.length > 0) figures[`${name}.steadyAfterMs`] = median(settled)
  return { samples, figures, note: noteOf(name, probed, steady.length - settled.length) }
}

/** Of calls beside the load: those answered and those refused. */
function latencyFigures(name: string, probed: readonly ProbeResult[]): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const [kind, status] of Object.entries({ answered: 0, refused: REFUSED })) {
    const sorted = probed
      .filter((call) => call.status === status)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b)
    if (sorted.length === 0) continue
    figures[`${name}.${kind}P50Ms`] = quantile(sorted, 0.5)
    figures[`${name}.${kind}P99Ms`] = quantile(sorted, 0.99)
  }
  return figures
}

function noteOf(name: string, probed: readonly ProbeResult[], unsettled: number): string {
  const statuses = Map.groupBy(probed, ({ status }) => status)
  const told = [...statuses].map(([status, calls]) => `${calls.length} x ${status}`).join(', ')
  const refused = statuses.get(REFUSED) ?? []
  const hinted = refused.filter(({ hasRetryAfter }) => hasRetryAfter).length
  return [
    `${name}: gRPC status of the calls beside the load: ${told}`,
    refused.length === 0 ? '' : `; ${hinted} of ${refused.length} refusals say when to come back`,
    unsettled === 0 ? '' : `; not steady again in time after ${unsettled} rounds`,
  ].join('')
}
