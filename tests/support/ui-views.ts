/** Every view of the admin UI, in both themes, and as wide as a phone; what axe says of them becomes a report. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { axeOf, openContext, widthOf, type AxeResult, type UiWorld } from './admin-ui.ts'
import { shots } from './browser.ts'

export type View = {
  readonly name: string
  /** Who looks: the owner of the engine, who may do everything, unless another one is named. */
  readonly by?: 'viewer' | 'stranger'
  /** Below the address of the engine. */
  readonly path: string
  /** What is there when the view is: a selector. */
  readonly ready: string
  /** What leads from the path to the view. */
  readonly arrive?: (page: Page) => Promise<void>
  /** The engine answers no question. */
  readonly isCutOff?: boolean
}

export type LookedAt = {
  readonly view: View
  readonly theme: Theme
  readonly axe: AxeResult
  /** Of the page where the window has 360 pixels; null = not looked at in this theme. */
  readonly narrowWidth: number | null
}

const THEMES = ['light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
const WIDE = { width: 1360, height: 860 }
const NARROW = { width: 360, height: 740 }

/** Who may look: what a browser keeps of somebody who has signed in. */
type Kept = Awaited<ReturnType<BrowserContext['storageState']>>
export type Visitors = { readonly owner: Kept; readonly viewer: Kept }

/** Looks at all views, at those of the two themes beside each other, and writes `.kre/screenshots/axe.md`. */
export async function lookAtViews(
  ui: UiWorld,
  views: readonly View[],
  visitors: Visitors,
): Promise<LookedAt[]> {
  await mkdir(shots, { recursive: true })
  const all = (
    await Promise.all(THEMES.map((theme) => visitAll(ui, views, theme, visitors)))
  ).flat()
  await writeFile(join(shots, 'axe.md'), report(all))
  return all
}

async function visitAll(
  ui: UiWorld,
  views: readonly View[],
  theme: Theme,
  visitors: Visitors,
): Promise<LookedAt[]> {
  const open = async (kept: Kept | null): Promise<Page> => {
    const signedIn = kept === null ? {} : { storageState: kept }
    return (await openContext(ui.browser, { colorScheme: theme, ...signedIn })).newPage()
  }
  const pages = {
    owner: await open(visitors.owner),
    viewer: await open(visitors.viewer),
    stranger: await open(null),
  }
  const seen: LookedAt[] = []
  for (const view of views) {
    const page = pages[view.by ?? 'owner']
    if (view.isCutOff === true) await page.route('**/graphql', (route) => route.abort())
    seen.push(await visit(ui, view, theme, page))
    await page.unrouteAll()
  }
  await Promise.all(Object.values(pages).map((page) => page.context().close()))
  return seen
}

async function visit(ui: UiWorld, view: View, theme: Theme, page: Page): Promise<LookedAt> {
  await page.goto(`${ui.adminUrl}${view.path}`)
  await view.arrive?.(page)
  await page.locator(view.ready).first().waitFor()
  await page.locator('.loading').waitFor({ state: 'detached' })
  const axe = await axeOf(page)
  await shoot(page, `${view.name}-${theme}`)
  // What is too wide is so in both themes.
  const narrowWidth = theme === 'light' ? await lookNarrow(page, `narrow-${view.name}-light`) : null
  return { view, theme, axe, narrowWidth }
}

async function lookNarrow(page: Page, name: string): Promise<number> {
  await page.setViewportSize(NARROW)
  await shoot(page, name)
  const width = await widthOf(page)
  await page.setViewportSize(WIDE)
  return width
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

function report(all: readonly LookedAt[]): string {
  const rows = all.map(({ view, theme, axe, narrowWidth }) =>
    [
      view.name,
      `\`${view.path}\``,
      theme,
      axe.passed,
      axe.undecided.join(', '),
      narrowWidth ?? '',
      axe.violations.length,
    ].join(' | '),
  )
  const faults = all.flatMap(({ view, theme, axe }) =>
    axe.violations.map((text) => `- ${view.name}, ${theme}: ${text.replaceAll('\n', ' ')}`),
  )
  return [
    '# What axe says of the views',
    '',
    'Rules: WCAG 2.0, 2.1 and 2.2, A and AA. Undecided: rules that axe leaves to people, with the number of places.',
    'Width: of the page, in a window of 360 pixels.',
    '',
    '| view | address | theme | rules passed | undecided | width | faults |',
    '|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
    ...(faults.length === 0 ? ['No faults.'] : ['## Faults', '', ...faults]),
    '',
  ].join('\n')
}
