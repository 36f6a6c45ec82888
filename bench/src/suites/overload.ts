/** More than there is room for: what is still answered, how fast, and what it costs in memory. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, ECHO_PATH, type Suite } from '../bench.ts'
import { slowNode } from '../engine/bundles.ts'
import { grpcFrame } from '../measure/grpc-frame.ts'
import { openProbe, type ProbeResult } from '../measure/grpc-probe.ts'
import { h2load, type Target } from '../measure/h2load.ts'
import { LOADED, measureInterleaved } from '../measure/interleave.ts'
import { watchMemory } from '../measure/memory-watch.ts'
import { cpuMicros } from '../measure/processes.ts'
import { quantile } from '../report/statistics.ts'
import { type Sample, summarise } from '../report/summarise.ts'

/** A model that takes 10 ms, eight at once: some 700 requests/s, so that a generator can be ten times faster. */
const HANDLER_MS = 10
const CONCURRENCY = 8
const FACTORS = [1, 4, 10]
/** Of every call: who waits longer has gone. */
const DEADLINE_MS = 1_000
/** Enough that the generator is never the one to wait. */
const OPEN = { connections: 4, streams: 10_000 }
const PROBE_EVERY_MS = 50

export const overload: Suite = {
  name: 'overload',
  about: 'a slow node at 1, 4 and 10 times what it can do: answered calls, latency, memory',
  async run(bench) {
    const floors = await bench.floors()
    const { port, pids } = await bench.engine.start(slowNode('slow', HANDLER_MS, CONCURRENCY))
    const capacity = await bench.echoTarget(port)
    const samples = await measureInterleaved(bench, [
      ...floors,
      { name: 'capacity', target: capacity, pids },
    ])
    const target: Target = {
      ...capacity,
      headers: ['content-type: application/grpc', 'te: trailers', `grpc-timeout: ${DEADLINE_MS}m`],
    }
    const rounds = samples.get('capacity') ?? []
    const perSecond = Math.max(...rounds.map((round) => round.requestsPerSecond))
    const figures: Record<string, number> = { capacityPerSecond: perSecond }
    const notes: string[] = []
    const named = Object.fromEntries(
      (await bench.engine.processes('slow')).map(({ node, role, pid }) => [node ?? role, pid ?? 0]),
    )
    for (const factor of FACTORS) {
      const name = `overload${factor}x`
      bench.say(`${factor} times the capacity`)
      using memory = watchMemory(named)
      const all: Sample[] = []
      const statuses = new Map<number, number>()
      for (let round = 0; round < bench.rounds; round++) {
        const { sample, probed } = await overloadOnce(bench, target, pids, perSecond * factor)
        all.push(sample)
        for (const { status } of probed) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      samples.set(name, all)
      for (const [process, mib] of Object.entries(memory.peaks()))
        figures[`${name}.${process}PeakMiB`] = mib
      const told = [...statuses].map(([status, count]) => `${count} x ${status}`).join(', ')
      notes.push(`${name}: gRPC status of the calls beside the load: ${told}`)
    }
    const report = summarise('overload', samples, { figures, notes })
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

/** One burst, and calls of our own beside it whose statuses and times can be seen. */
async function overloadOnce(
  bench: Bench,
  target: Target,
  pids: readonly number[],
  offered: number,
) {
  const body = grpcFrame(100)
  const probed: ProbeResult[] = []
  using probe = openProbe(target.port, ECHO_PATH)
  const { signal } = bench
  const before = cpuMicros(pids)
  const load = h2load({
    target,
    shape: OPEN,
    requests: Math.ceil((offered * bench.seconds) / LOADED.connections) * LOADED.connections,
    perSecond: offered,
    logFile: join(bench.dir, 'overload.log'),
    signal,
  })
  let isOver = false
  const over = load.finally(() => (isOver = true))
  const calls: Promise<unknown>[] = []
  while (!isOver) {
    calls.push(probe.call(body, DEADLINE_MS).then((result) => probed.push(result)))
    await Promise.race([over, sleep(PROBE_EVERY_MS)])
  }
  const [result] = await Promise.all([load, ...calls])
  const cpu = cpuMicros(pids) - before
  const answeredMs = probed
    .filter(({ status }) => status === 0)
    .map(({ ms }) => ms)
    .toSorted((a, b) => a - b)
  const sample: Sample = {
    requestsPerSecond: result.answered / result.seconds,
    cpuMicrosPerRequest: cpu / Math.max(1, result.answered),
    p50Ms: quantile(answeredMs, 0.5),
    p99Ms: quantile(answeredMs, 0.99),
    // Refusals are what is wanted here.
    failed: 0,
  }
  return { sample, probed }
}
