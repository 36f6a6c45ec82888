import type { Suite } from '../bench.ts'
import { chain, fanOut as fanOutBundle } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { slope } from '../report/statistics.ts'
import { summarise } from '../report/summarise.ts'

const BRANCHES = [2, 4, 8]

export const fanOut: Suite = {
  name: 'fan-out',
  about: 'one node to 2, 4 and 8 branches and a join, against a chain of three',
  minutes: 3,
  async run(bench) {
    const subjects = await bench.floors()
    subjects.push(await bench.version(chain('chain3', 3, 'typescript')))
    for (const branches of BRANCHES)
      subjects.push(await bench.version(fanOutBundle(`fan${branches}`, branches)))
    const samples = await measureInterleaved(bench, subjects)
    const report = summarise('fan-out', samples, {
      ratios: (cpuOf) =>
        Object.fromEntries(
          BRANCHES.map((count) => [`fan${count}CpuVsFloor`, cpuOf(`fan${count}`) / cpuOf('floor')]),
        ),
    })
    const points = BRANCHES.map((count) => {
      const found = report.cases.find(({ name }) => name === `fan${count}`)
      return [count, found?.cpuMicrosPerRequest ?? Number.NaN] as const
    })
    return { ...report, figures: { branchCpuMicros: slope(points) } }
  },
}
