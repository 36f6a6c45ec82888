/** Every view of the admin UI, in both themes and as wide as a phone; what axe says of them becomes a report. */
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
  /** Of the page where the window has 360 pixels. */
  readonly narrowWidth: number
}

const THEMES = ['light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
const WIDE = { width: 1360, height: 860 }
const NARROW = { width: 360, height: 740 }

/** Looks at all views, at those of the two themes beside each other, and writes `.kre/screenshots/axe.md`. */
export async function lookAtViews(
  ui: UiWorld,
  views: readonly View[],
  viewer: string,
): Promise<LookedAt[]> {
  await mkdir(shots, { recursive: true })
  // One after the other: a newer link takes the place of an older one of the same user.
  const visitors: Visitors[] = []
  for (const theme of THEMES) visitors.push(await invite(ui, theme, viewer))
  const all = (await Promise.all(visitors.map((own) => visitAll(ui, views, own)))).flat()
  await writeFile(join(shots, 'axe.md'), report(all))
  return all
}

type Visitor = { readonly context: BrowserContext; readonly page: Page }
type Visitors = { readonly theme: Theme } & Readonly<
  Record<'owner' | 'viewer' | 'stranger', Visitor>
>

async function invite(ui: UiWorld, theme: Theme, viewer: string): Promise<Visitors> {
  const context = await openContext(ui.browser)
  const visitors = {
    theme,
    owner: await ui.signIn(),
    viewer: await ui.signIn(viewer),
    stranger: { context, page: await context.newPage() },
  }
  for (const { page } of [visitors.owner, visitors.viewer, visitors.stranger])
    await page.emulateMedia({ colorScheme: theme })
  return visitors
}

async function visitAll(
  ui: UiWorld,
  views: readonly View[],
  { theme, owner, viewer, stranger }: Visitors,
): Promise<LookedAt[]> {
  const seen: LookedAt[] = []
  for (const view of views) {
    const { context, page } = { owner, viewer, stranger }[view.by ?? 'owner']
    if (view.isCutOff === true) seen.push(await visitCutOff(ui, view, theme, context))
    else seen.push(await visit(ui, view, theme, page))
  }
  await Promise.all([owner, viewer, stranger].map(({ context }) => context.close()))
  return seen
}

/** In a page of its own, whose complaints about what does not answer are no news. */
async function visitCutOff(
  ui: UiWorld,
  view: View,
  theme: Theme,
  context: BrowserContext,
): Promise<LookedAt> {
  const page = await context.newPage()
  await page.emulateMedia({ colorScheme: theme })
  await page.route('**/graphql', (route) => route.abort())
  const seen = await visit(ui, view, theme, page)
  await page.close()
  return seen
}

async function visit(ui: UiWorld, view: View, theme: Theme, page: Page): Promise<LookedAt> {
  await page.goto(`${ui.adminUrl}${view.path}`)
  await view.arrive?.(page)
  await page.locator(view.ready).first().waitFor()
  await page.locator('.loading').waitFor({ state: 'detached' })
  const axe = await axeOf(page)
  await shoot(page, `${view.name}-${theme}`)
  await page.setViewportSize(NARROW)
  await shoot(page, `narrow-${view.name}-${theme}`)
  const narrowWidth = await widthOf(page)
  await page.setViewportSize(WIDE)
  return { view, theme, axe, narrowWidth }
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
      narrowWidth,
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
