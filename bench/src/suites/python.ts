import type { Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { median } from '../report/statistics.ts'
import { summarise } from '../report/summarise.ts'

export const python: Suite = {
  name: 'python',
  about: '1 and 3 Python nodes against as many TypeScript nodes',
  minutes: 3,
  async run(bench) {
    const subjects = await bench.floors()
    for (const nodes of [1, 3]) {
      subjects.push(await bench.version(chain(`chain${nodes}`, nodes, 'typescript')))
      subjects.push(await bench.version(chain(`python${nodes}`, nodes, 'python')))
    }
    const samples = await measureInterleaved(bench, subjects)
    const cpuMedian = (name: string) =>
      median((samples.get(name) ?? []).map((sample) => sample.cpuMicrosPerRequest))
    const more = (nodes: number) =>
      (cpuMedian(`python${nodes}`) - cpuMedian(`chain${nodes}`)) / nodes
    return summarise('python', samples, {
      figures: { 'pythonMoreCpuMicros@1': more(1), 'pythonMoreCpuMicros@3': more(3) },
      ratios: (cpuOf) => ({
        python1CpuVsFloor: cpuOf('python1') / cpuOf('floor'),
        python3CpuVsFloor: cpuOf('python3') / cpuOf('floor'),
        python1CpuVsChain1: cpuOf('python1') / cpuOf('chain1'),
        python3CpuVsChain3: cpuOf('python3') / cpuOf('chain3'),
      }),
    })
  },
}
