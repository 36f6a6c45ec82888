import type { Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { startPeers } from '../peers/start-peers.ts'
import { summarise } from '../report/summarise.ts'

/** Peers take Python's load: so do we. In flight: 32. */
const SHAPE = { connections: 4, streams: 8 }
const SHAPE_HTTP1 = { connections: 32, streams: 1 }

export const peers: Suite = {
  name: 'peers',
  about: 'three nodes of other systems against three of ours, each in an environment of its own',
  async run(bench) {
    const subjects = await bench.floors()
    subjects.push(await bench.version(chain('python3', 3, 'python')))
    subjects.push(await bench.version(chain('chain3', 3, 'typescript')))
    await using started = await startPeers(bench)
    const samples = await measureInterleaved(bench, [
      ...subjects.map((subject) => ({ ...subject, shape: SHAPE })),
      ...started.subjects.map((subject) => ({
        ...subject,
        shape: subject.target.http1 ? SHAPE_HTTP1 : SHAPE,
      })),
    ])
    return summarise('peers', samples, {
      figures: started.figures,
      notes: started.notes,
      ratios: (cpuOf) =>
        Object.fromEntries(
          started.subjects.map(({ name }) => [
            `${name}CpuVsPython3`,
            cpuOf(name) / cpuOf('python3'),
          ]),
        ),
    })
  },
}
