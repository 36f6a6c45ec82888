/** `node_elapsed_time`: handler times, summed up per sender and second. */
import { randomUUID } from 'node:crypto'
import type { NodeLaunch } from '@kre/contracts/runtime'
import type { NodeCall } from '../calls/node-call.ts'
import type { Counters } from '../counters.ts'
import { originOf } from './origin.ts'
import type { Outbox } from './outbox.ts'

const WINDOW_MS = 1_000

type Sum = { count: number; failed: number; totalMs: number; maxMs: number }

export type Timings = {
  handled(call: NodeCall, elapsedMs: number, success: boolean): void
  flush(): void
}

export function createTimings(launch: NodeLaunch, outbox: Outbox, counters: Counters): Timings {
  const incarnation = randomUUID()
  let sequence = 0
  let sums = new Map<string, Sum>()
  let said: Counters = { ...counters }
  let timer: NodeJS.Timeout | undefined

  const post = (
    measurement: string,
    fields: Record<string, number>,
    tags: Record<string, string>,
  ) =>
    outbox.post({
      kind: 'measurement',
      id: `${incarnation}/${launch.node}/${sequence++}`,
      timeNs: `${Date.now()}000000`,
      measurement,
      fields,
      tags,
      ...originOf(launch, null),
    })
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    for (const [fromNode, { count, failed, totalMs, maxMs }] of sums) {
      const fields = { count, failed, elapsed_ms: totalMs / count, elapsed_ms_max: maxMs }
      post('node_elapsed_time', fields, { from_node: fromNode })
    }
    sums = new Map()
    const changed = Object.entries(counters).filter(
      ([name, n]) => n !== said[name as keyof Counters],
    )
    said = { ...counters }
    if (changed.length > 0) post('node_counters', Object.fromEntries(changed), {})
  }

  return {
    handled(call, elapsedMs, success) {
      let sum = sums.get(call.fromNode)
      if (sum === undefined)
        sums.set(call.fromNode, (sum = { count: 0, failed: 0, totalMs: 0, maxMs: 0 }))
      sum.count++
      if (!success) sum.failed++
      sum.totalMs += elapsedMs
      sum.maxMs = Math.max(sum.maxMs, elapsedMs)
      timer ??= setTimeout(flush, WINDOW_MS).unref()
    },
    flush,
  }
}
