/** A real browser, for tests of what people see. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { root } from './kre.ts'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Null where this computer has none. */
export const browserPath =
  (process.env['KRE_TEST_BROWSER'] ?? PLACES.find((path) => existsSync(path))) || null

/** Nothing of it speaks to anybody but the pages it is told to open. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function launchBrowser(): Promise<Browser> {
  if (browserPath === null) throw new Error('there is no browser')
  return chromium.launch({ executablePath: browserPath, headless: true, args: ARGUMENTS })
}

/** Where pictures go, and reports about them. */
export const shots = join(root, '.kre/screenshots')

/** The whole page in both themes, for people to look at: `.kre/screenshots/<name>-light.png`. */
export async function shoot(page: Page, name: string): Promise<void> {
  await mkdir(shots, { recursive: true })
  for (const theme of ['light', 'dark'] as const) {
    await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`)
    await page.waitForTimeout(50)
    await page.screenshot({ path: join(shots, `${name}-${theme}.png`), fullPage: true })
  }
}
