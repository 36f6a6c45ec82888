import type { Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { summarise } from '../report/summarise.ts'

export const fused: Suite = {
  name: 'fused',
  about: 'three nodes in one process against three in processes of their own',
  minutes: 2.5,
  async run(bench) {
    const subjects = await bench.floors()
    subjects.push(await bench.version(chain('chain1', 1, 'typescript')))
    subjects.push(await bench.version(chain('chain3', 3, 'typescript')))
    subjects.push(await bench.version({ ...chain('fused3', 3, 'typescript'), fuse: true }))
    const samples = await measureInterleaved(bench, subjects)
    return summarise('fused', samples, {
      ratios: (cpuOf) => ({
        fused3CpuVsFloor: cpuOf('fused3') / cpuOf('floor'),
        chain3CpuVsFloor: cpuOf('chain3') / cpuOf('floor'),
        fused3CpuVsChain3: cpuOf('fused3') / cpuOf('chain3'),
        fused3CpuVsChain1: cpuOf('fused3') / cpuOf('chain1'),
      }),
    })
  },
}
