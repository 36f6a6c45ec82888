import { waitUntil } from '@kre/service-kit'
import type { Page } from 'playwright-core'
import { quantile } from '../report/statistics.ts'
import type { ScriptedApi } from './scripted-api.ts'

/** Bytes of the one line that nobody should write. */
const HUGE_BYTES = 10_000_000
const SCROLL_MS = 6_000

export type LogFigures = {
  readonly lines: number
  /** Between two drawings while the list is scrolled from one end to the other. */
  readonly frameP95Ms: number
  readonly longTasks: number
  readonly longestTaskMs: number
  /** From the click on a line of 10 MB to its details. */
  readonly hugeLineMs: number
}

/** A log of so many lines, scrolled through, and one line of 10 MB in it. */
export async function measureLogs(
  page: Page,
  api: ScriptedApi,
  url: string,
  wanted: number,
): Promise<LogFigures> {
  api.setLines(wanted)
  await page.goto(url)
  await page.locator('.log-line').first().waitFor()
  await loadAll(page, wanted)
  await page.evaluate(WATCH)
  await page.evaluate(scroll(SCROLL_MS))
  const { frames, tasks } = await page.evaluate<{ frames: number[]; tasks: number[] }>(
    '({ frames: globalThis.frames, tasks: globalThis.tasks })',
  )
  api.writeLine('x'.repeat(HUGE_BYTES))
  await page.evaluate('document.querySelector(".log").scrollTop = 1e9')
  const huge = page.locator('.log-line', { hasText: 'xxxxxxxxxx' })
  await huge.waitFor()
  const before = performance.now()
  await huge.click()
  await page.locator('.line-details pre').waitFor()
  return {
    lines: await countOf(page),
    frameP95Ms: quantile(
      frames.toSorted((a, b) => a - b),
      0.95,
    ),
    longTasks: tasks.filter((ms) => ms > 100).length,
    longestTaskMs: Math.max(0, ...tasks),
    hugeLineMs: performance.now() - before,
  }
}

async function countOf(page: Page): Promise<number> {
  const height = await page.evaluate<number>('document.querySelector(".log ol").offsetHeight')
  return Math.round(height / 24)
}

/** Scrolls up until every page is there. */
async function loadAll(page: Page, wanted: number): Promise<void> {
  for (let tries = 0; (await countOf(page)) < wanted; tries += 1) {
    if (tries > wanted / 50) throw new Error(`only ${await countOf(page)} lines came`)
    const before = await countOf(page)
    await page.evaluate('document.querySelector(".log").scrollTop = 0')
    await waitUntil('older lines', async () => (await countOf(page)) > before)
  }
}

const WATCH = `
  globalThis.frames = []
  globalThis.tasks = []
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.tasks.push(duration)
  }).observe({ type: 'longtask' })
`

/** From one end to the other, a step with each drawing. */
function scroll(ms: number): string {
  return `new Promise((resolve) => {
    const log = document.querySelector('.log')
    const height = log.scrollHeight - log.clientHeight
    const begin = performance.now()
    let last = begin
    const step = (now) => {
      globalThis.frames.push(now - last)
      last = now
      const share = Math.min(1, (now - begin) / ${ms})
      log.scrollTop = height * (1 - share)
      if (share < 1) requestAnimationFrame(step)
      else resolve()
    }
    requestAnimationFrame(step)
  })`
}
