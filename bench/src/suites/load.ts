/** How three nodes behave with more and with less to do than they can: closed loop for capacity, open loop for latency. */
import { join } from 'node:path'
import type { Bench, Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { h2load, type Shape } from '../measure/h2load.ts'
import { measureInterleaved, timeLeft } from '../measure/interleave.ts'
import { cpuMicros } from '../measure/processes.ts'
import { planRounds } from '../measure/plan-rounds.ts'
import type { Subject } from '../measure/subject.ts'
import { median } from '../report/statistics.ts'
import { type Sample, summarise } from '../report/summarise.ts'

const SHAPES: Record<number, Shape> = {
  32: { connections: 8, streams: 4 },
  64: { connections: 8, streams: 8 },
  128: { connections: 8, streams: 16 },
}
/** Open loop: enough that the generator never waits for an answer. */
const OPEN: Shape = { connections: 8, streams: 1_000 }
const CLOSED_SECONDS = 75

export const load: Suite = {
  name: 'load',
  about: 'three nodes with 32, 64 and 128 in flight, and in open loop at half of what they can do',
  minutes: 2.5,
  async run(bench) {
    const [floor] = await bench.floors()
    const three = await bench.version(chain('chain3', 3, 'typescript'))
    const closed = Object.entries(SHAPES).map(([inFlight, shape]) => ({
      ...three,
      name: `inFlight${inFlight}`,
      shape,
    }))
    const samples = await measureInterleaved(
      bench,
      [...(floor === undefined ? [] : [floor]), ...closed],
      { latency: 'loaded', budgetSeconds: CLOSED_SECONDS },
    )
    const rates = (samples.get('inFlight64') ?? []).map((sample) => sample.requestsPerSecond)
    const perSecond = median(rates) / 2
    samples.set('halfLoad', await openLoop(bench, three, perSecond))
    const report = summarise('load', samples, {
      latency: 'the load itself',
      figures: { halfLoadOfferedPerSecond: perSecond },
      notes: [
        'halfLoad: open loop, requests begin at half of the rate of inFlight64 whatever becomes of the earlier ones',
      ],
    })
    const half = report.cases.find(({ name }) => name === 'halfLoad')
    const ratioOf = ({ p50Ms, p99Ms }: Sample) => p99Ms / p50Ms
    return {
      ...report,
      ratios: {
        halfLoadP99VsP50: median((samples.get('halfLoad') ?? []).map(ratioOf)),
        halfLoadCpuVsFloor:
          (half?.cpuMicrosPerRequest ?? Number.NaN) /
          (report.cases.find(({ name }) => name === 'floor')?.cpuMicrosPerRequest ?? Number.NaN),
      },
    }
  },
}

async function openLoop(bench: Bench, subject: Subject, perSecond: number): Promise<Sample[]> {
  const { isQuick, rounds, say, signal } = bench
  const plan = planRounds(1, { isQuick, rounds, hasAlone: false })
  const found: Sample[] = []
  const began = performance.now()
  while (found.length < plan.rounds) {
    say(
      `half load, round ${found.length + 1} of ${plan.rounds}${timeLeft(began, found.length, plan.rounds)}`,
    )
    const before = cpuMicros(subject.pids)
    const result = await h2load({
      target: subject.target,
      shape: OPEN,
      requests: Math.ceil((perSecond * plan.loadSeconds) / OPEN.connections) * OPEN.connections,
      perSecond,
      logFile: join(bench.dir, 'open-loop.log'),
      signal,
    })
    found.push({
      requestsPerSecond: result.answered / result.seconds,
      cpuMicrosPerRequest: (cpuMicros(subject.pids) - before) / Math.max(1, result.answered),
      p50Ms: result.p50Ms,
      p99Ms: result.p99Ms,
      failed: result.requests - result.answered,
    })
  }
  return found
}
