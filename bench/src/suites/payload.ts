import type { Bench, Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { LOADED, type Shape } from '../measure/h2load.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import type { Subject } from '../measure/subject.ts'
import type { BenchReport } from '../report/bench-report.ts'
import { summarise } from '../report/summarise.ts'

type Size = { name: string; bytes: number; shape: Shape }
/** Fewer at once where they are large, so that what is in flight stays below an entrypoint's bound. */
const SIZES: Size[] = [
  { name: '100B', bytes: 100, shape: LOADED },
  { name: '64KiB', bytes: 64 * 1024, shape: { connections: 4, streams: 4 } },
  { name: '1MB', bytes: 1_000_000, shape: { connections: 2, streams: 2 } },
  { name: '4MB', bytes: 4_000_000, shape: { connections: 2, streams: 1 } },
]
/** A message of NATS holds no more: beyond it, payloads travel by reference, and a raw chain can't carry them. */
const MESSAGE_BYTES_MAX = 1024 * 1024

export const payload: Suite = {
  name: 'payload',
  about: '100 B, 64 KiB, 1 MB and 4 MB through one and three nodes, and what a hop costs for each',
  minutes: 3,
  async run(bench) {
    const samples = await measureInterleaved(bench, await subjectsOf(bench))
    const report = summarise('payload', samples)
    const inFlight = SIZES.map(({ name, shape }) => `${name} ${shape.connections * shape.streams}`)
    return {
      ...report,
      ...costs(report),
      notes: [
        `in flight at once: ${inFlight.join(', ')}`,
        'above 1 MiB payloads travel by reference: their bytes are stored in the broker for as long as the request lasts',
      ],
    }
  },
}

async function subjectsOf(bench: Bench): Promise<Subject[]> {
  const ours = {
    chain1: await bench.engine.start(chain('chain1', 1, 'typescript')),
    chain3: await bench.engine.start(chain('chain3', 3, 'typescript')),
  }
  const subjects: Subject[] = []
  for (const { name: size, bytes, shape } of SIZES) {
    for (const floor of await bench.floors(bytes))
      if (floor.name === 'floor' || bytes <= MESSAGE_BYTES_MAX)
        subjects.push({ ...floor, name: floorName(floor.name, size), shape })
    for (const [name, { port, pids }] of Object.entries(ours)) {
      const target = await bench.echoTarget(port, bytes)
      subjects.push({ name: `${name}@${size}`, target, pids, shape })
    }
  }
  return subjects
}

/** The small echo is the floor by which runs are compared. */
const floorName = (name: string, size: string) => (size === '100B' ? name : `${name}@${size}`)

function costs({ cases }: BenchReport): Pick<BenchReport, 'ratios' | 'figures'> {
  const of = (name: string) => cases.find((entry) => entry.name === name)
  const cpuOf = (name: string) => of(name)?.cpuMicrosPerRequest ?? Number.NaN
  const p50Of = (name: string) => of(name)?.p50Ms ?? Number.NaN
  const ratios: Record<string, number> = {}
  const figures: Record<string, number> = {}
  for (const { name: size, bytes } of SIZES) {
    const [one, three] = [`chain1@${size}`, `chain3@${size}`]
    const floor = floorName('floor', size)
    ratios[`chain3CpuVsFloor@${size}`] = cpuOf(three) / cpuOf(floor)
    ratios[`chain3P50VsFloor@${size}`] = p50Of(three) / p50Of(floor)
    if (bytes <= MESSAGE_BYTES_MAX)
      ratios[`chain3CpuVsNatsFloor@${size}`] = cpuOf(three) / cpuOf(floorName('natsFloor', size))
    figures[`hopCpuMicros@${size}`] = (cpuOf(three) - cpuOf(one)) / 2
  }
  return { ratios, figures }
}
