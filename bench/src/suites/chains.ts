import { chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { summarise } from '../report/summarise.ts'
import type { Suite } from '../bench.ts'

const CASES = [
  chain('chain1', 1, 'typescript'),
  chain('chain3', 3, 'typescript'),
  chain('chain5', 5, 'typescript'),
  chain('python1', 1, 'python'),
]

export const chains: Suite = {
  name: 'chains',
  about: '1, 3 and 5 TypeScript nodes and 1 Python node against the floors',
  minutes: 3,
  async run(bench) {
    const subjects = await bench.floors()
    for (const version of CASES) subjects.push(await bench.version(version))
    const samples = await measureInterleaved(bench, subjects)
    return summarise('chains', samples, {
      ratios: (cpuOf) =>
        Object.fromEntries(
          CASES.map(({ version }) => [`${version}CpuVsFloor`, cpuOf(version) / cpuOf('floor')]),
        ),
    })
  },
}
