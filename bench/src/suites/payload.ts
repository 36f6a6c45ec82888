import type { Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import type { Shape } from '../measure/h2load.ts'
import { LOADED, measureInterleaved } from '../measure/interleave.ts'
import type { Subject } from '../measure/subject.ts'
import { summarise } from '../report/summarise.ts'

/** Fewer at once where they are large, so that what is in flight stays below an entrypoint's bound. */
const SIZES: [name: string, bytes: number, shape: Shape][] = [
  ['100B', 100, LOADED],
  ['1KiB', 1024, LOADED],
  ['64KiB', 64 * 1024, { connections: 4, streams: 4 }],
  ['900KB', 900_000, { connections: 2, streams: 2 }],
]

export const payload: Suite = {
  name: 'payload',
  about: '100 B, 1 KiB, 64 KiB and 900 KB through three nodes, and what a hop costs for each',
  async run(bench) {
    const one = await bench.engine.start(chain('chain1', 1, 'typescript'))
    const three = await bench.engine.start(chain('chain3', 3, 'typescript'))
    const subjects: Subject[] = []
    for (const [size, bytes, shape] of SIZES) {
      // The small echo is the floor by which runs are compared.
      for (const floor of await bench.floors(bytes)) {
        const name = size === '100B' ? floor.name : `${floor.name}@${size}`
        subjects.push({ ...floor, name, shape })
      }
      for (const [name, { port, pids }] of Object.entries({ chain1: one, chain3: three })) {
        const target = await bench.echoTarget(port, bytes)
        subjects.push({ name: `${name}@${size}`, target, pids, shape })
      }
    }
    const samples = await measureInterleaved(bench, subjects)
    const floorOf = (name: string, size: string) => (size === '100B' ? name : `${name}@${size}`)
    let hops: [string, number][] = []
    const report = summarise('payload', samples, {
      ratios(cpuOf) {
        hops = SIZES.map(([size]) => [
          `hopCpuMicros@${size}`,
          (cpuOf(`chain3@${size}`) - cpuOf(`chain1@${size}`)) / 2,
        ])
        return Object.fromEntries(
          SIZES.flatMap(([size]) => [
            [`chain3CpuVsFloor@${size}`, cpuOf(`chain3@${size}`) / cpuOf(floorOf('floor', size))],
            [
              `chain3CpuVsNatsFloor@${size}`,
              cpuOf(`chain3@${size}`) / cpuOf(floorOf('natsFloor', size)),
            ],
          ]),
        )
      },
    })
    const inFlight = SIZES.map(
      ([size, , { connections, streams }]) => `${size} ${connections * streams}`,
    )
    return {
      ...report,
      figures: Object.fromEntries(hops),
      notes: [`in flight at once: ${inFlight.join(', ')}`],
    }
  },
}
