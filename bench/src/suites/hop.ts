import type { Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { median, slope } from '../report/statistics.ts'
import { type Sample, summarise } from '../report/summarise.ts'

const LENGTHS = [1, 3, 5]

export const hop: Suite = {
  name: 'hop',
  about: 'what one more node costs, against one more plain process on raw NATS',
  minutes: 3,
  async run(bench) {
    const subjects = await bench.floors()
    subjects.push(await bench.natsFloor(1))
    for (const nodes of LENGTHS)
      subjects.push(await bench.version(chain(`chain${nodes}`, nodes, 'typescript')))
    const samples = await measureInterleaved(bench, subjects)
    const rise = (names: Record<string, number>, measure: 'cpuMicrosPerRequest' | 'p50Ms') =>
      slope(
        Object.entries(names).map(([name, nodes]) => [
          nodes,
          median((samples.get(name) ?? []).map((sample: Sample) => sample[measure])),
        ]),
      )
    const ours = Object.fromEntries(LENGTHS.map((nodes) => [`chain${nodes}`, nodes]))
    const raw = { natsFloor1: 1, natsFloor: 3 }
    const figures = {
      hopCpuMicros: rise(ours, 'cpuMicrosPerRequest'),
      hopP50Ms: rise(ours, 'p50Ms'),
      natsHopCpuMicros: rise(raw, 'cpuMicrosPerRequest'),
      natsHopP50Ms: rise(raw, 'p50Ms'),
    }
    return summarise('hop', samples, {
      figures,
      ratios: (cpuOf) => ({
        hopCpuVsNatsHop: figures.hopCpuMicros / figures.natsHopCpuMicros,
        hopCpuVsFloor: figures.hopCpuMicros / cpuOf('floor'),
        chain3CpuVsNatsFloor: cpuOf('chain3') / cpuOf('natsFloor'),
      }),
    })
  },
}
