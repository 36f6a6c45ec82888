/** What a chain holds, and whether it grows over very many requests, some of which fail. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Suite } from '../bench.ts'
import { faultyChain } from '../engine/bundles.ts'
import { grpcFrame } from '../measure/grpc-frame.ts'
import { LOADED, h2load, type Target } from '../measure/h2load.ts'
import { measureInterleaved, timeLeft } from '../measure/interleave.ts'
import { memoryOf, type Named } from '../measure/memory-watch.ts'
import { MIB } from '../measure/processes.ts'
import { slope } from '../report/statistics.ts'
import { summarise } from '../report/summarise.ts'

/** One call in so many fails. */
const FAILING_EVERY = 10
/** A million, in steps: memory is looked at after each. */
const STEPS = { count: 20, requests: 50_000 }
const STEPS_QUICK = { count: 4, requests: 10_000 }
/** The floor shows what a process of Node.js does by itself: it needs fewer. */
const FLOOR_EVERY = 4
/** After a load, for what is freed late. */
const SETTLE_MS = 300
const CASES_SECONDS = 25

export const memory: Suite = {
  name: 'memory',
  about: 'memory without a call, and how it grows over a million, one in ten of which fails',
  minutes: 3,
  async run(bench) {
    const floors = await bench.floors()
    const version = await bench.version(faultyChain('chain3'))
    const named: Record<string, number> = { floor: floors[0]?.pids[0] ?? 0 }
    for (const { node, role, pid } of await bench.engine.processes('chain3'))
      named[node ?? role] = pid ?? 0
    const idle = memoryOf(named)
    // Warms up what is measured after it.
    const samples = await measureInterleaved(bench, [...floors, version], {
      budgetSeconds: CASES_SECONDS,
    })
    const growth: Growth = { points: new Map(), idle, named }
    const { count, requests } = bench.isQuick ? STEPS_QUICK : STEPS
    const missing = await callManyTimes(bench, version.target, floors[0]?.target, growth)
    const report = summarise('memory', samples, {
      figures: figuresOf(growth),
      notes: [`${count * requests} requests, one in ${FAILING_EVERY} of which fails`],
      ratios: (cpuOf) => ({ chain3CpuVsFloor: cpuOf('chain3') / cpuOf('floor') }),
    })
    return { ...report, failed: report.failed + missing }
  },
}

/** @returns how many calls that should have been answered were not, or were and should have failed. */
async function callManyTimes(
  bench: Bench,
  target: Target,
  floor: Target | undefined,
  growth: Growth,
): Promise<number> {
  const bodyFile = join(bench.dir, 'failing.bin')
  await writeFile(bodyFile, grpcFrame(100, 'f'))
  const { count, requests } = bench.isQuick ? STEPS_QUICK : STEPS
  const logFile = join(bench.dir, 'memory.log')
  const post = async (to: Target, many: number) =>
    (await h2load({ target: to, requests: many, shape: LOADED, logFile, signal: bench.signal }))
      .answered
  const failing = requests / FAILING_EVERY
  const began = performance.now()
  let wrong = 0
  for (let step = 0; step < count; step++) {
    bench.say(`step ${step + 1} of ${count}${timeLeft(began, step, count)}`)
    wrong += requests - failing - (await post(target, requests - failing))
    wrong += await post({ ...target, bodyFile }, failing)
    if (floor !== undefined) await post(floor, requests / FLOOR_EVERY)
    await sleep(SETTLE_MS, undefined, { signal: bench.signal })
    note(growth, step + 1, requests)
  }
  return wrong
}

type Growth = {
  named: Named
  idle: Record<string, number>
  points: Map<string, [requests: number, mib: number][]>
}

function note({ named, points }: Growth, steps: number, requests: number): void {
  for (const [name, mib] of Object.entries(memoryOf(named))) {
    const so = steps * (name === 'floor' ? requests / FLOOR_EVERY : requests)
    points.set(name, [...(points.get(name) ?? []), [so, mib]])
  }
}

/** The first half of the steps is not in the slope: heaps grow to their working size there. */
function figuresOf({ idle, points }: Growth): Record<string, number> {
  const figures: Record<string, number> = {}
  for (const [name, all] of points) {
    figures[`${name}.idleMiB`] = idle[name] ?? 0
    figures[`${name}.afterMiB`] = all.at(-1)?.[1] ?? 0
    figures[`${name}.growthBytesPerRequest`] = slope(all.slice(all.length >> 1)) * MIB
  }
  return figures
}
