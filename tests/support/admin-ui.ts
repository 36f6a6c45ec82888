/** The admin UI in a real browser, against a whole engine: what every test of it needs. */
import { describe, expect, test } from '@jest/globals'
import axe from 'axe-core'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { browserPath, launchBrowser, shoot } from './browser.ts'
import { createKre, type Kre } from './kre.ts'
import { startPathProxy } from './path-proxy.ts'

const VIEWPORT = { width: 1360, height: 860 }

/** Left out, and said so, where this computer has no browser. */
export const describeInBrowser = browserPath === null ? describe.skip : describe
if (browserPath === null)
  console.warn(
    'tests of the admin UI are left out: there is no chromium (apt-get install chromium)',
  )

export type UiWorld = AsyncDisposable & {
  readonly kre: Kre
  readonly browser: Browser
  /** Where browsers find the engine: its origin, or a path of a proxy. */
  readonly adminUrl: string
  /** What browsers complained about, and what they asked others than the engine for. */
  readonly complaints: string[]
  /** A browser of its own for somebody, signed in. @param user absent = the owner of the engine. */
  signIn(user?: string): Promise<{ context: BrowserContext; page: Page }>
}

export type UiOptions = {
  /**
   * A path such as `/kre`: browsers reach the engine below it alone, through a proxy that hides both their addresses
   * and its own name from the engine.
   */
  readonly below?: string
}

/** Of browsers, as the proxy in front tells it: of those that documentation may use. */
export const CALLERS_ADDRESS = '203.0.113.9'

/** An engine without examples, and a browser. */
export async function startUi(
  environment: Record<string, string> = {},
  { below }: UiOptions = {},
): Promise<UiWorld> {
  let engineUrl = ''
  const proxy =
    below === undefined
      ? null
      : await startPathProxy(below, () => engineUrl, { callersAddress: CALLERS_ADDRESS })
  const publicUrl = proxy === null ? null : `${proxy.url}${below}`
  const kre = await createKre({
    ...environment,
    ...(publicUrl === null
      ? {}
      : { KRE_ADMIN_FRONTEND_BASE_URL: publicUrl, KRE_TRUSTED_PROXIES: '127.0.0.1,::1' }),
  })
  const [engine, browser] = await Promise.all([
    kre.json<{ adminUrl: string }>('dev', '--detach', '--no-example'),
    launchBrowser(),
  ])
  engineUrl = engine.adminUrl
  const adminUrl = publicUrl ?? engineUrl
  const complaints: string[] = []
  return {
    kre,
    browser,
    adminUrl,
    complaints,
    async signIn(user) {
      const context = await openContext(browser)
      const page = await context.newPage()
      listen(page, adminUrl, complaints)
      const who = user === undefined ? [] : ['--user', user]
      const { url } = await kre.json<{ url: string }>('login', ...who)
      await page.goto(url)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Runtimes', exact: true }).waitFor()
      return { context, page }
    },
    async [Symbol.asyncDispose]() {
      await browser.close()
      await kre[Symbol.asyncDispose]()
      await proxy?.[Symbol.asyncDispose]()
    },
  }
}

function listen(page: Page, adminUrl: string, complaints: string[]): void {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      complaints.push(`${page.url()}: ${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(adminUrl)) complaints.push(`foreign: ${request.url()}`)
  })
}

/** Tests that build on each other: one failure makes what follows it meaningless, and slow. */
export function createSteps(): (name: string, run: () => Promise<void>) => void {
  let hasFailed = false
  return (name, run) =>
    test(name, async () => {
      if (hasFailed) throw new Error('an earlier step failed')
      hasFailed = true
      await run()
      hasFailed = false
    })
}

/** Signs in in another tab, and goes on in the page whose login has ended. */
export async function signInAgain(kre: Kre, page: Page): Promise<void> {
  const { url } = await kre.json<{ url: string }>('login')
  const tab = await page.context().newPage()
  await tab.goto(url)
  await tab.getByRole('button', { name: 'Sign in' }).click()
  await tab.getByRole('heading', { name: 'Runtimes', exact: true }).waitFor()
  await tab.close()
  await page.getByRole('button', { name: 'I have signed in' }).click()
  await page.getByRole('heading', { name: 'Your login has ended' }).waitFor({ state: 'detached' })
}

/** Gives a reason in the dialog that is open, and confirms it. */
export async function confirm(page: Page, verb: string, comment: string): Promise<void> {
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Why').fill(comment)
  await dialog.getByRole('button', { name: verb, exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

/** Whether the page is as wide as its window, and no wider. */
export async function widthOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth')
}

/** A picture of the view, and what axe has to say about it in both themes. For what no address leads to. */
export async function look(page: Page, name: string): Promise<void> {
  await shoot(page, name)
  for (const theme of ['light', 'dark']) {
    await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`)
    const { violations } = await axeOf(page)
    expect([name, theme, violations]).toEqual([name, theme, []])
  }
}

export type AxeResult = {
  /** Rules that hold. */
  readonly passed: number
  /** Rules that axe can't decide, with the number of places. */
  readonly undecided: readonly string[]
  readonly violations: readonly string[]
}

/** What axe says of the page as it is. */
export async function axeOf(page: Page): Promise<AxeResult> {
  return page.evaluate<AxeResult>(`(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
    const { passes, incomplete, violations } = await axe.run({ runOnly: tags, resultTypes: ['violations', 'incomplete'] })
    return {
      passed: passes.length,
      undecided: incomplete.map(({ id, nodes }) => id + ' (' + nodes.length + ')'),
      violations: violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map((node) => id + ': ' + node.html + ' ' + node.failureSummary)),
    }
  })()`)
}

/** A browser of its own, for somebody who has not signed in unless the options say so; axe comes with each page. */
export async function openContext(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: VIEWPORT, ...options })
  context.setDefaultTimeout(60_000)
  await context.addInitScript({ content: axe.source })
  return context
}
