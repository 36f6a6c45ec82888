/** What a page costs the computer in processor time: its main thread, and all processes of the browser together. */
import type { Browser, CDPSession, Page } from 'playwright-core'

export type Cost = {
  /** Shares of one processor: 0.2 = a fifth of it. */
  readonly mainThread: number
  readonly script: number
  readonly layout: number
  readonly style: number
  readonly allProcesses: number
}

type Taken = { atMs: number; metrics: Readonly<Record<string, number>>; cpuS: number }

export type CostMeter = {
  /** While something happens; `spanMs` is how long that took. */
  measure(run: () => Promise<unknown>): Promise<Cost & { readonly spanMs: number }>
}

export async function openCostMeter(browser: Browser, page: Page): Promise<CostMeter> {
  const session = await page.context().newCDPSession(page)
  const whole = await browser.newBrowserCDPSession()
  // Time of the thread itself: what else the computer does is not in it.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const take = () => takeCost(session, whole)
  return {
    async measure(run) {
      const before = await take()
      await run()
      const after = await take()
      const spanS = (after.atMs - before.atMs) / 1000
      const share = (name: string) =>
        ((after.metrics[name] ?? 0) - (before.metrics[name] ?? 0)) / spanS
      return {
        mainThread: share('TaskDuration'),
        script: share('ScriptDuration'),
        layout: share('LayoutDuration'),
        style: share('RecalcStyleDuration'),
        allProcesses: (after.cpuS - before.cpuS) / spanS,
        spanMs: spanS * 1000,
      }
    },
  }
}

async function takeCost(session: CDPSession, whole: CDPSession): Promise<Taken> {
  const { metrics } = await session.send('Performance.getMetrics')
  const { processInfo } = await whole.send('SystemInfo.getProcessInfo')
  return {
    atMs: performance.now(),
    metrics: Object.fromEntries(metrics.map(({ name, value }) => [name, value])),
    cpuS: processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0),
  }
}
