import type { Browser, Page } from 'playwright-core'
import { quantile } from '../report/statistics.ts'
import { openCostMeter } from './browser-cost.ts'
import type { ScriptedApi } from './scripted-api.ts'

/** Bytes of the one line that nobody should write. */
const HUGE_BYTES = 10_000_000
const SCROLL_MS = 6_000
/** After which a page of older lines is looked for; some minutes of them mean that none comes. */
const PAGE_MS = 30
const TRIES_MAX = 10_000
/** What people feel as a halt. */
const LONG_MS = 100

/** While a list is scrolled from one end to the other, a step with each drawing. */
export type Scrolled = {
  readonly drawings: number
  /** Between two drawings. */
  readonly frameP95Ms: number
  /** Above 100 ms. */
  readonly longTasks: number
  readonly longestTaskMs: number
  /** Of the main thread, for each drawing: says nothing of what else the computer does. */
  readonly cpuMsPerDrawing: number
}

export type LogFigures = {
  readonly lines: number
  readonly scrolled: Scrolled
  /** The same with a page that has nothing in it: what the computer does to any page now. */
  readonly control: Scrolled
  /** From the click on a line of 10 MB to its details. */
  readonly hugeLineMs: number
}

/** A log of so many lines, scrolled through, and one line of 10 MB in it. */
export async function measureLogs(
  browser: Browser,
  page: Page,
  api: ScriptedApi,
  at: { url: string; lines: number },
): Promise<LogFigures> {
  api.setLines(at.lines)
  await page.goto(at.url)
  await page.locator('.log-line').first().waitFor()
  await loadAll(page, at.lines)
  const scrolled = await scroll(browser, page)
  api.writeLine('x'.repeat(HUGE_BYTES))
  await page.evaluate('document.querySelector(".log").scrollTop = 1e9')
  const huge = page.locator('.log-line', { hasText: 'xxxxxxxxxx' })
  await huge.waitFor()
  const before = performance.now()
  await huge.click()
  await page.locator('.line-details pre').waitFor()
  const hugeLineMs = performance.now() - before
  const lines = await countOf(page)
  await page.goto('about:blank')
  await page.setContent(
    `<div class="log" style="height: 600px; overflow: auto"><ol style="height: ${at.lines * 24}px"></ol></div>`,
  )
  return { lines, scrolled, control: await scroll(browser, page), hugeLineMs }
}

async function countOf(page: Page): Promise<number> {
  const height = await page.evaluate<number>('document.querySelector(".log ol").offsetHeight')
  return Math.round(height / 24)
}

/** Scrolls up until every page is there. */
async function loadAll(page: Page, wanted: number): Promise<void> {
  for (let tries = 0; (await countOf(page)) < wanted; tries += 1) {
    if (tries > TRIES_MAX) throw new Error(`only ${await countOf(page)} lines came`)
    await page.evaluate('document.querySelector(".log").scrollTop = 0')
    await page.waitForTimeout(PAGE_MS)
  }
}

async function scroll(browser: Browser, page: Page): Promise<Scrolled> {
  const meter = await openCostMeter(browser, page)
  await page.evaluate('document.querySelector(".log").scrollTop = 1e9')
  const done: { frames: number[]; tasks: number[] } = { frames: [], tasks: [] }
  const { mainThread, spanMs } = await meter.measure(async () => {
    Object.assign(done, await page.evaluate(SCROLL))
  })
  const { frames, tasks } = done
  const sorted = frames.toSorted((a, b) => a - b)
  return {
    drawings: frames.length,
    frameP95Ms: quantile(sorted, 0.95),
    longTasks: tasks.filter((ms) => ms > LONG_MS).length,
    longestTaskMs: Math.max(0, ...tasks),
    cpuMsPerDrawing: (mainThread * spanMs) / Math.max(1, frames.length),
  }
}

const SCROLL = `new Promise((resolve) => {
  const frames = []
  const tasks = []
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) tasks.push(duration)
  })
  observer.observe({ type: 'longtask' })
  const log = document.querySelector('.log')
  const height = log.scrollHeight - log.clientHeight
  const begin = performance.now()
  let last = begin
  const step = (now) => {
    frames.push(now - last)
    last = now
    const share = Math.min(1, (now - begin) / ${SCROLL_MS})
    log.scrollTop = height * (1 - share)
    if (share < 1) requestAnimationFrame(step)
    else resolve({ frames, tasks })
  }
  requestAnimationFrame(step)
})`
