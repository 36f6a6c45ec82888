import type { Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { summarise } from '../report/summarise.ts'

export const python: Suite = {
  name: 'python',
  about: '1 and 3 Python nodes against as many TypeScript nodes',
  async run(bench) {
    const subjects = await bench.floors()
    for (const nodes of [1, 3]) {
      subjects.push(await bench.version(chain(`chain${nodes}`, nodes, 'typescript')))
      subjects.push(await bench.version(chain(`python${nodes}`, nodes, 'python')))
    }
    const samples = await measureInterleaved(bench, subjects)
    return summarise('python', samples, {
      ratios: (cpuOf) => ({
        python1CpuVsFloor: cpuOf('python1') / cpuOf('floor'),
        python3CpuVsFloor: cpuOf('python3') / cpuOf('floor'),
        python1CpuVsChain1: cpuOf('python1') / cpuOf('chain1'),
        python3CpuVsChain3: cpuOf('python3') / cpuOf('chain3'),
      }),
    })
  },
}
