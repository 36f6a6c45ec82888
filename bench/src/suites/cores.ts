/** What a second processor brings, and what more processes make of it. */
import { join } from 'node:path'
import { availableParallelism } from 'node:os'
import type { Suite } from '../bench.ts'
import { type BenchEngine, startBenchEngine } from '../engine/bench-engine.ts'
import { type BenchVersion, chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { allCores } from '../measure/pin.ts'
import type { Subject } from '../measure/subject.ts'
import { summarise } from '../report/summarise.ts'

/** The generator never shares the one processor; where there are but two, it has to share them both. */
const CORES: Record<string, NonNullable<Subject['cores']>> = {
  '1core': { own: '0', generator: '1' },
  '2cores': { own: '0,1', generator: availableParallelism() > 2 ? '2' : '0,1' },
}
const VARIANTS = ['chain3', 'workers2', 'replicas2']

export const cores: Suite = {
  name: 'cores',
  about: 'three nodes on 1 and on 2 processors; 2 entrypoint workers; 2 replicas of each node',
  minutes: 3,
  async run(bench) {
    if (availableParallelism() < 2)
      throw new Error('suite "cores" compares one processor with two: this computer has one')
    const [floor] = await bench.floors()
    const dir = join(bench.dir, 'workers')
    const workers = { KRE_ENTRYPOINT_WORKERS: '2' }
    await using wide = await startBenchEngine(dir, bench.say, workers)
    const start = async (engine: BenchEngine, version: BenchVersion): Promise<Subject> => {
      const { port, pids } = await engine.start(version)
      return { name: version.version, target: await bench.echoTarget(port), pids }
    }
    const chain3 = chain('chain3', 3, 'typescript')
    const nodes = chain3.nodes.map((node) => ({ ...node, replicas: 2 }))
    const started = [
      await start(bench.engine, chain3),
      await start(wide, { ...chain3, version: 'workers2' }),
      await start(bench.engine, { ...chain3, version: 'replicas2', nodes }),
    ]
    const named = Object.entries(CORES).flatMap(([suffix, where]) =>
      [...(floor === undefined ? [] : [floor]), ...started].map((subject) => ({
        ...subject,
        name: `${subject.name}@${suffix}`,
        cores: where,
      })),
    )
    const samples = await measureInterleaved(bench, [
      ...(floor === undefined
        ? []
        : [{ ...floor, cores: { own: allCores(), generator: allCores() } }]),
      ...named,
    ])
    const report = summarise('cores', samples)
    const rateOf = (name: string) =>
      report.cases.find((entry) => entry.name === name)?.requestsPerSecond ?? Number.NaN
    const gain = (name: string, over: string) => rateOf(name) / rateOf(over)
    return {
      ...report,
      ratios: {
        floorRate2coresVs1core: gain('floor@2cores', 'floor@1core'),
        ...Object.fromEntries(
          VARIANTS.map((name) => [
            `${name}Rate2coresVs1core`,
            gain(`${name}@2cores`, `${name}@1core`),
          ]),
        ),
        workers2RateVsChain3: gain('workers2@2cores', 'chain3@2cores'),
        replicas2RateVsChain3: gain('replicas2@2cores', 'chain3@2cores'),
      },
      notes: Object.entries(CORES).map(
        ([name, { own, generator }]) =>
          `${name}: all processes of the case on processors ${own}, the generator on ${generator}`,
      ),
    }
  },
}
