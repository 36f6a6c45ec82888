import type { Browser } from 'playwright-core'
import { median } from '../report/statistics.ts'

const ROUNDS = 5

export type FirstLoad = { readonly scriptBytes: number; readonly usableMs: number }

/** The first page with nothing in the cache: script as it is sent, and until somebody can click on a runtime. */
export async function measureFirstLoad(browser: Browser, url: string): Promise<FirstLoad> {
  const rounds: FirstLoad[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const session = await context.newCDPSession(page)
    await session.send('Network.enable')
    const scripts = new Set<string>()
    let scriptBytes = 0
    session.on('Network.responseReceived', ({ requestId, type }) => {
      if (type === 'Script') scripts.add(requestId)
    })
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      if (scripts.has(requestId)) scriptBytes += encodedDataLength
    })
    await page.goto(`${url}/ui/`, { waitUntil: 'commit' })
    await page.getByRole('link', { name: 'Demo' }).first().waitFor()
    const usableMs = await page.evaluate<number>('performance.now()')
    rounds.push({ scriptBytes, usableMs })
    await context.close()
  }
  return {
    scriptBytes: median(rounds.map((one) => one.scriptBytes)),
    usableMs: median(rounds.map((one) => one.usableMs)),
  }
}
