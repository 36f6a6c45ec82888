import type { Suite } from '../bench.ts'
import type { BenchVersion } from '../engine/bundles.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import { median } from '../report/statistics.ts'
import { summarise } from '../report/summarise.ts'

/** A model that takes 5 ms for a call and 0.2 ms for each of its items, as one on an accelerator does. */
const MODEL = `import time

def infer(items):
    time.sleep(0.005 + 0.0002 * items)
`
const SINGLES = `${MODEL}
def default_handler(ctx, data):
    infer(1)
    ctx.send_any(data)
`
const BATCHES = `${MODEL}
def batch_handler(contexts, messages):
    infer(len(messages))
    for ctx, data in zip(contexts, messages):
        ctx.send_any(data)
`

function model(version: string, code: string, batch?: string): BenchVersion {
  const node = { name: 'n1', src: 'model.py', from: ['entrypoint'] }
  return {
    version,
    nodes: [batch === undefined ? node : { ...node, batch }],
    sources: { 'model.py': code },
  }
}

/** Three cases, one of which answers but 190 times a second, need no more. */
const SECONDS = 60

export const batch: Suite = {
  name: 'batch',
  about: 'a model of 5 ms and 0.2 ms per item: messages one by one against batches',
  minutes: 1.5,
  async run(bench) {
    const [floor] = await bench.floors()
    const subjects = [
      ...(floor === undefined ? [] : [floor]),
      await bench.version(model('singles', SINGLES)),
      await bench.version(model('batches', BATCHES, '{ maxSize: 32, maxDelayMs: 5 }')),
    ]
    const samples = await measureInterleaved(bench, subjects, { budgetSeconds: SECONDS })
    const rateOf = (name: string) =>
      median((samples.get(name) ?? []).map(({ requestsPerSecond }) => requestsPerSecond))
    return summarise('batch', samples, {
      figures: { batchGain: rateOf('batches') / rateOf('singles') },
      ratios: (cpuOf) => ({ batchesCpuVsSingles: cpuOf('batches') / cpuOf('singles') }),
    })
  },
}
