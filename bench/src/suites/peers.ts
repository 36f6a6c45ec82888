import type { Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { startPeers } from '../peers/start-peers.ts'
import { summarise } from '../report/summarise.ts'

/** In flight: 32, as much as the slow ones can take. */
const SHAPE = { connections: 4, streams: 8 }
const SHAPE_HTTP1 = { connections: 32, streams: 1 }
const OURS = { python3: 'python', chain3: 'typescript' } as const
/** The rest of three minutes goes by until all of them answer. */
const SECONDS = 105

export const peers: Suite = {
  name: 'peers',
  about: 'three nodes of other systems against three of ours, all of them with 32 in flight',
  minutes: 3,
  async run(bench) {
    const subjects = await bench.floors()
    for (const [name, language] of Object.entries(OURS))
      subjects.push(await bench.version(chain(name, 3, language)))
    await using started = await startPeers(bench)
    const samples = await measureInterleaved(
      bench,
      [
        ...subjects.map((subject) => ({ ...subject, shape: SHAPE })),
        ...started.subjects.map((subject) => ({ ...subject, shape: SHAPE_HTTP1 })),
      ],
      // One at a time tells nothing of systems that are built to be asked by many.
      { latency: 'loaded', budgetSeconds: SECONDS },
    )
    const report = summarise('peers', samples, {
      latency: 'with 32 in flight',
      figures: started.figures,
      notes: started.notes,
    })
    const ratios: Record<string, number> = {}
    for (const ours of Object.keys(OURS)) {
      const own = report.cases.find(({ name }) => name === ours)
      for (const { name } of started.subjects) {
        const peer = report.cases.find((entry) => entry.name === name)
        if (own === undefined || peer === undefined) continue
        ratios[`${ours}RateVs_${name}`] = own.requestsPerSecond / peer.requestsPerSecond
        ratios[`${name}CpuVs_${ours}`] = peer.cpuMicrosPerRequest / own.cpuMicrosPerRequest
      }
    }
    return { ...report, ratios }
  },
}
