import type { Page } from 'playwright-core'
import { median } from '../report/statistics.ts'
import type { CostMeter } from './browser-cost.ts'

/** Of these nodes of the graph, one after the other. */
const NODES = [1, 9, 17, 25, 33, 41, 49, 57] as const

export type Clicks = {
  readonly p50Ms: number
  readonly maxMs: number
  /** Of the main thread, for each click: says nothing of what else the computer does. */
  readonly cpuMs: number
}

/**
 * From a click on a node to the drawing with its details, while traffic flows, as the browser itself times it (Event
 * Timing, in steps of 8 ms).
 *
 * @param restShare what the main thread does without clicks, as a share of a processor.
 */
export async function measureClicks(
  page: Page,
  meter: CostMeter,
  restShare: number,
): Promise<Clicks> {
  await page.evaluate(`
    globalThis.clickMs = []
    new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries())
        if (name === 'click') globalThis.clickMs.push(duration)
    }).observe({ type: 'event', durationThreshold: 16, buffered: false })
  `)
  const { mainThread, spanMs } = await meter.measure(async () => {
    for (const node of NODES) {
      await page.locator('.react-flow__node').nth(node).click()
      await page.getByRole('complementary', { name: 'Details' }).waitFor()
      await page.waitForTimeout(300)
    }
  })
  const times = await page.evaluate<number[]>('globalThis.clickMs')
  await page.keyboard.press('Escape')
  // Those that took less than the threshold are not told.
  const all = [
    ...times,
    ...Array.from({ length: Math.max(0, NODES.length - times.length) }, () => 16),
  ]
  return {
    p50Ms: median(all),
    maxMs: Math.max(...all),
    cpuMs: ((mainThread - restShare) * spanMs) / NODES.length,
  }
}
