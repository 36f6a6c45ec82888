import type { Page } from 'playwright-core'
import { slope } from '../report/statistics.ts'

const EVERY_MS = 10_000
const MIB = 1024 * 1024

export type Heap = {
  readonly minutes: number
  readonly firstMiB: number
  readonly lastMiB: number
  /** Over the second half: what is filled at the beginning is no growth. */
  readonly growthMiBPerHour: number
  readonly domNodesFirst: number
  readonly domNodesLast: number
  readonly listenersFirst: number
  readonly listenersLast: number
}

/** What a page holds after a full collection, while it is updated all the time. */
export async function measureHeap(
  page: Page,
  minutes: number,
  say: (line: string) => void,
): Promise<Heap> {
  const session = await page.context().newCDPSession(page)
  const begin = performance.now()
  const points: { atS: number; value: number; nodes: number; listeners: number }[] = []
  for (;;) {
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters')
    const atS = (performance.now() - begin) / 1000
    points.push({ atS, value: usedSize / MIB, nodes, listeners: jsEventListeners })
    if (points.length % 8 === 1)
      say(`heap after ${Math.round(atS)} s: ${(usedSize / MIB).toFixed(2)} MiB, ${nodes} DOM nodes`)
    if (atS >= minutes * 60) break
    await page.waitForTimeout(Math.min(EVERY_MS, (minutes * 60 - atS) * 1000))
  }
  const [first, last] = [points[0], points.at(-1)]
  const settled = points.slice(Math.floor(points.length / 2))
  return {
    minutes,
    firstMiB: first?.value ?? 0,
    lastMiB: last?.value ?? 0,
    growthMiBPerHour: slope(settled.map(({ atS, value }) => [atS, value])) * 3600,
    domNodesFirst: first?.nodes ?? 0,
    domNodesLast: last?.nodes ?? 0,
    listenersFirst: first?.listeners ?? 0,
    listenersLast: last?.listeners ?? 0,
  }
}
