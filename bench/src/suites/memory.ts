import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Suite } from '../bench.ts'
import { faultyChain } from '../engine/bundles.ts'
import { grpcFrame } from '../measure/grpc-frame.ts'
import { h2load, type Target } from '../measure/h2load.ts'
import { LOADED, measureInterleaved } from '../measure/interleave.ts'
import { memoryOf, type Named } from '../measure/memory-watch.ts'
import { MIB } from '../measure/processes.ts'
import { slope } from '../report/statistics.ts'
import { summarise } from '../report/summarise.ts'

/** One call in so many fails. */
const FAILING_EVERY = 10
/** After a load, for what is freed late. */
const SETTLE_MS = 1_000

export const memory: Suite = {
  name: 'memory',
  about: 'resident memory without a call, and how it grows over many, one in ten of which fails',
  async run(bench) {
    const floors = await bench.floors()
    const version = await bench.version(faultyChain('chain3'))
    const named: Record<string, number> = { floor: floors[0]?.pids[0] ?? 0 }
    for (const { node, role, pid } of await bench.engine.processes('chain3'))
      named[node ?? role] = pid ?? 0
    const idle = memoryOf(named)
    // Warms up what is measured after it.
    const samples = await measureInterleaved(bench, [...floors, version])

    const failing = join(bench.dir, 'failing.bin')
    await writeFile(failing, grpcFrame(100, 'f'))
    const [steps, perStep] = bench.isQuick ? [4, 10_000] : [10, 50_000]
    const growth: Growth = { points: new Map(), idle, named }
    let answered = 0
    for (let step = 0; step < steps; step++) {
      bench.say(`step ${step + 1} of ${steps}`)
      const ok = perStep - perStep / FAILING_EVERY
      const post = async (target: Target, requests: number) =>
        h2load({
          target,
          requests,
          shape: LOADED,
          logFile: join(bench.dir, 'memory.log'),
          signal: bench.signal,
        })
      answered += (await post(version.target, ok)).answered
      await post({ ...version.target, bodyFile: failing }, perStep - ok)
      if (floors[0] !== undefined) await post(floors[0].target, perStep)
      await sleep(SETTLE_MS, undefined, { signal: bench.signal })
      note(growth, (step + 1) * perStep)
    }
    const wanted = (steps * perStep * (FAILING_EVERY - 1)) / FAILING_EVERY
    const report = summarise('memory', samples, {
      figures: figuresOf(growth),
      notes: [`${steps * perStep} requests, one in ${FAILING_EVERY} of which fails`],
      ratios: (cpuOf) => ({ chain3CpuVsFloor: cpuOf('chain3') / cpuOf('floor') }),
    })
    return { ...report, failed: report.failed + wanted - answered }
  },
}

type Growth = {
  named: Named
  idle: Record<string, number>
  points: Map<string, [requests: number, mib: number][]>
}

function note({ named, points }: Growth, requests: number): void {
  for (const [name, mib] of Object.entries(memoryOf(named)))
    points.set(name, [...(points.get(name) ?? []), [requests, mib]])
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
