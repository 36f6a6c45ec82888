/** The faces of the admin UI: what it shows to whom, and what it does when something is wrong. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, jest } from '@jest/globals'
import { KiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { BrowserContext, Page } from 'playwright-core'
import { startOidcProvider } from '../engine/admin-api/src/testing/start-oidc-provider.ts'
import {
  confirm,
  createSteps,
  describeInBrowser,
  look,
  signInAgain,
  startUi,
  type UiWorld,
} from './support/admin-ui.ts'
import { allUiViews } from './support/all-ui-views.ts'
import { shoot } from './support/browser.ts'
import { HOSTILE, judge, makeJudgeBundle, type Case } from './support/judge-bundle.ts'
import { root, type Status } from './support/kre.ts'
import { startPathProxy } from './support/path-proxy.ts'
import { lookAtViews } from './support/ui-views.ts'

const VERSION = '/ui/runtimes/court/versions/judge-v1'
const VIEWS = ['status', 'try-it', 'requests', 'logs', 'configuration', 'predictions']
/** Half a second each way, and as many bytes a second as an old mobile network has. */
const SLOW_NETWORK = {
  offline: false,
  latency: 500,
  downloadThroughput: 100 * KiB,
  uploadThroughput: 50 * KiB,
}
const BEGIN_MS = Date.now()
const CASES: readonly Case[] = [
  { said: 'cat', truth: 'cat' },
  { said: 'cat', truth: 'cat', daysAgo: 1 },
  { said: 'cat', truth: 'cat', daysAgo: 2 },
  { said: 'dog', truth: 'cat', daysAgo: 2 },
  { said: 'dog', truth: 'dog', daysAgo: 3 },
  { said: HOSTILE, truth: 'dog', daysAgo: 3 },
  { said: '', truth: '', error: 'missing_values' },
  { said: 'emu', truth: '', error: 'new_labels' },
]
let ui: UiWorld
let provider: Awaited<ReturnType<typeof startOidcProvider>>
let context: BrowserContext
let page: Page

describeInBrowser('the faces of the admin UI', () => {
  beforeAll(async () => {
    // The provider says at length that it is not set up for production.
    for (const method of ['warn', 'info'] as const)
      jest.spyOn(console, method).mockImplementation(() => undefined)
    provider = await startOidcProvider(
      (login) => ({ email: `${login}@kre.io`, email_verified: true }),
      () => `${ui.adminUrl}/api/v1/auth/oidc/callback`,
    )
    ui = await startUi({
      // Mails become files.
      KRE_DEVELOPMENT_MODE: 'true',
      KRE_OIDC_ISSUER: provider.issuer,
      KRE_OIDC_CLIENT_ID: 'kre',
      KRE_OIDC_CLIENT_SECRET: 'a secret of the client',
    })
    provider.open()
    const { kre } = ui
    await kre.json('runtime', 'create', 'court', '--name', 'Court', '--description', HOSTILE)
    await kre.json('runtime', 'create', 'other', '--name', HOSTILE.slice(0, 40))
    const folder = join(kre.dataDir, '..', 'judge')
    await makeJudgeBundle(folder)
    await kre.json('version', 'create', '-r', 'court', folder)
    await kre.json('config', 'set', '-r', 'court', 'judge-v1', 'LIMIT=1', 'SIGNATURE=s')
    await kre.json('version', 'start', '-r', 'court', 'judge-v1', '--comment', HOSTILE)
    await kre.json('version', 'publish', '-r', 'court', 'judge-v1', '--comment', HOSTILE)
    ;({ context, page } = await ui.signIn())
  })
  afterAll(async () => {
    await ui?.[Symbol.asyncDispose]()
    await provider?.[Symbol.asyncDispose]()
    jest.restoreAllMocks()
  })
  const step = createSteps()
  const open = (path: string, by = page) => by.goto(`${ui.adminUrl}${path}`)

  step(
    'shows how good predictions were: by class, over time, and those without a truth',
    async () => {
      const { addresses } = await ui.kre.json<Status>('status')
      const published = addresses.find(
        ({ runtime, version }) => runtime !== null && version === null,
      )
      for (const one of CASES) await judge(published?.address ?? '', one)
      await open(`${VERSION}/predictions`)
      const numbers = page.locator('.numbers')
      await numbers.getByText('4 of 6 right').waitFor()
      expect(await numbers.getByText('12.5 %').or(numbers.getByText('13 %')).count()).toBe(2)
      const matrix = page.getByRole('table', { name: 'Confusion matrix' })
      expect(await matrix.getByRole('row', { name: /^cat / }).innerText()).toMatch(/75 %[^]*25 %/)
      await matrix.getByRole('columnheader', { name: HOSTILE }).waitFor()
      const recall = page.getByRole('row', { name: /^cat 4 3 100.0 % 75.0 %/ })
      await recall.waitFor()
      expect(await page.locator('.chart g').count()).toBe(4)
      await page.getByRole('combobox', { name: 'Range' }).selectOption('1')
      await numbers.getByText('1 of 1 right').waitFor()
    },
  )

  step('shows the predictions between two moments, which are in the address', async () => {
    const numbers = page.locator('.numbers')
    const show = async (from: number, to: number) => {
      await page.getByLabel('From', { exact: true }).fill(minuteAgo(from))
      await page.getByLabel('To', { exact: true }).fill(minuteAgo(to))
      await page.getByRole('button', { name: 'Show', exact: true }).click()
    }
    // What is asked in the zone of the page is asked for in UTC.
    await page.getByRole('combobox', { name: 'Times in' }).selectOption('UTC')
    await page.getByRole('combobox', { name: 'Range' }).selectOption('between')
    // Whole minutes: one of a day ago may be among them.
    await numbers.getByText(/^(?:1 of 1|2 of 2) right$/).waitFor()
    await show(96, 36)
    await numbers.getByText('2 of 4 right').waitFor()
    const { searchParams } = new URL(page.url())
    expect(searchParams.get('from')).toBe(`${minuteAgo(96)}:00.000Z`)
    await page.reload()
    await numbers.getByText('2 of 4 right').waitFor()
    await show(36, 96)
    await page.getByText('The end is before the begin.').waitFor()
    expect(new URL(page.url()).searchParams.get('from')).toBe(searchParams.get('from'))
    const twin = page.locator('.twin code')
    expect(await twin.innerText()).toMatch(
      /^krectl version metrics judge-v1 -r court --since \d+m --until \d+m$/,
    )
    const words = ['-r', 'court', 'judge-v1', '--since', '96h', '--until', '36h']
    const { stdout } = await ui.kre.run('version', 'metrics', ...words)
    expect(stdout).toContain('4 predictions: 2 right, 2 wrong')
    await page.getByRole('combobox', { name: 'Times in' }).selectOption('local')
  })

  step('shows whatever strangers wrote as text, wherever it is shown', async () => {
    for (const path of [
      '/ui/',
      '/ui/audit',
      '/ui/runtimes/court/versions',
      ...[...VIEWS, 'documentation'].map((view) => `${VERSION}/${view}`),
    ]) {
      await open(path)
      await page.locator('h1').first().waitFor()
      await page.locator('.loading').waitFor({ state: 'detached' })
      if (path.endsWith('/logs')) await page.locator('.log-message').first().waitFor()
      else if (!/requests|configuration$/.test(path))
        await page.getByText('onerror="window.taken=1"').filter({ visible: true }).first().waitFor()
      const taken = await page.evaluate('[window.taken, document.images.length]')
      expect([path, taken]).toEqual([path, [undefined, 0]])
    }
  })

  step(
    'tells one of two administrators that the other changed a value, and keeps what was typed',
    async () => {
      await open(`${VERSION}/configuration`)
      await page.getByLabel('New value of LIMIT').fill('2')
      const other = await ui.signIn()
      await open(`${VERSION}/configuration`, other.page)
      await other.page.getByLabel('New value of LIMIT').fill('3')
      await other.page.getByRole('button', { name: 'Save', exact: true }).click()
      await other.page.getByText('The configuration is saved.').waitFor()
      await other.context.close()
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      await page.getByText('Somebody else changed it meanwhile').waitFor()
      expect(await page.getByLabel('New value of LIMIT').inputValue()).toBe('2')
      await look(page, 'configuration-conflict')
      await page.getByRole('button', { name: 'Save', exact: true }).click()
      await page.getByText('The configuration is saved.').waitFor()
      await page.locator('.page-head .chip-published').waitFor()
    },
  )

  step('keeps secrets that were being typed when the login ends', async () => {
    await page.getByLabel('New value of SIGNATURE').fill('half a sec')
    await context.clearCookies()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByRole('heading', { name: 'Your login has ended' }).waitFor()
    await signInAgain(ui.kre, page)
    expect(await page.getByLabel('New value of SIGNATURE').inputValue()).toBe('half a sec')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Every key has a value.').waitFor()
    ui.complaints.length = 0
  })

  step('signs in at an identity provider by its button', async () => {
    const own = await ui.browser.newContext({ viewport: { width: 1360, height: 860 } })
    own.setDefaultTimeout(15_000)
    // The provider's pages want a font from elsewhere.
    await own.route(/googleapis/, (route) => route.abort())
    await ui.kre.json('user', 'create', 'ada@kre.io', '--level', 'VIEWER')
    const ada = await own.newPage()
    await open('/ui/', ada)
    await ada.getByRole('link', { name: 'Sign in with your organisation' }).click()
    await ada.locator('input[name=login]').fill('ada')
    await ada.locator('input[name=password]').fill('any')
    await ada.locator('button[type=submit]').click()
    await ada.getByRole('button', { name: 'Continue' }).click()
    await ada.getByRole('heading', { name: 'Runtimes', exact: true }).waitFor()
    await ada.getByRole('link', { name: 'ada@kre.io' }).waitFor()
    await own.close()
  })

  step(
    'shows a viewer every view, no action that would be refused, and no other runtime',
    async () => {
      await ui.kre.json('user', 'create', 'bob@kre.io', '--grant', 'court=VIEWER')
      const bob = await ui.signIn('bob@kre.io')
      expect(await bob.page.getByRole('listitem').getByRole('heading').allInnerTexts()).toEqual([
        'Court',
      ])
      const offered: string[] = []
      for (const path of ['/ui/', '/ui/runtimes/court/versions', ...VIEWS.map(viewPath)]) {
        await open(path, bob.page)
        await bob.page.locator('h1').first().waitFor()
        await bob.page.locator('.loading').waitFor({ state: 'detached' })
        const actions = bob.page.locator('.page-head .actions :is(a, button), .row-actions .button')
        offered.push(...(await actions.allInnerTexts()))
      }
      expect(offered.filter((name) => !name.startsWith('Compare'))).toEqual([])
      for (const path of [
        '/ui/users',
        '/ui/settings',
        '/ui/new-runtime',
        '/ui/runtimes/court/new-version',
      ]) {
        await open(path, bob.page)
        await bob.page.getByRole('heading', { name: 'No access' }).waitFor()
        expect([path, await bob.page.locator('.button-primary').count()]).toEqual([path, 0])
      }
      await open('/ui/runtimes/other/versions', bob.page)
      await bob.page.getByRole('heading', { name: 'Not found' }).waitFor()
      await bob.context.close()
      ui.complaints.length = 0
    },
  )

  step('says the zone of its times, and shows them in another', async () => {
    const own = await ui.browser.newContext({
      timezoneId: 'Asia/Tokyo',
      storageState: await context.storageState(),
    })
    const away = await own.newPage()
    await open('/ui/runtimes/court/versions', away)
    const time = away.locator('tbody time').first()
    await time.waitFor()
    expect(await time.getAttribute('title')).toMatch(/GMT\+9$/)
    const zone = away.getByRole('combobox', { name: 'Times in' })
    expect(await zone.locator('option:checked').innerText()).toBe('Asia/Tokyo')
    const before = await time.innerText()
    await zone.selectOption('UTC')
    expect(await time.getAttribute('title')).toMatch(/UTC$/)
    expect(await time.innerText()).not.toBe(before)
    await own.close()
  })

  step('moves nothing for those who asked for that', async () => {
    const own = await ui.browser.newContext({
      reducedMotion: 'reduce',
      storageState: await context.storageState(),
    })
    const calm = await own.newPage()
    await open(`${VERSION}/status`, calm)
    await calm.locator('.react-flow__node').first().waitFor()
    expect(await calm.evaluate('document.getAnimations().length')).toBe(0)
    await own.close()
  })

  step('leads the keyboard from the top to the bottom, and shows where it is', async () => {
    await open('/ui/')
    await page.getByRole('heading', { name: 'Court' }).waitFor()
    const stops: { name: string; outline: string }[] = []
    for (let tabs = 0; tabs < 12; tabs += 1) {
      await page.keyboard.press('Tab')
      stops.push(
        await page.evaluate(`({
          name: document.activeElement.innerText.trim().split(/\\s/)[0],
          outline: getComputedStyle(document.activeElement).outlineStyle,
        })`),
      )
    }
    const names = stops.map(({ name }) => name)
    expect(names.slice(0, 6)).toEqual(['Skip', 'KRE', 'Runtimes', 'Users', 'Audit', 'Settings'])
    expect(names.slice(8)).toEqual(['Sign', 'Add', 'Court', 'judge-v1'])
    expect(stops.filter(({ outline }) => outline === 'none')).toEqual([])
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Add runtime' }).waitFor()
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
  })

  step(
    'shows on a slow network that it is at work, and asks once for what is clicked twice',
    async () => {
      await open('/ui/new-runtime')
      // It is shown to those who may, so it asks who that is first.
      await page.getByLabel('Name', { exact: true }).fill('Slow')
      let asked = 0
      let release = (): void => undefined
      const held = new Promise<void>((done) => (release = done))
      await page.route('**/graphql', async (route) => {
        asked += 1
        await held
        await route.continue()
      })
      await page.getByLabel('Id', { exact: true }).fill('slow')
      await page.getByLabel('Description', { exact: true }).fill('far away')
      const button = page.getByRole('button', { name: 'Add runtime', exact: true })
      await button.dblclick()
      await page.locator('.button[aria-busy=true]').waitFor()
      await waitUntil('the question', async () => asked > 0)
      expect(asked).toBe(1)
      await page.getByRole('link', { name: 'Settings' }).click()
      await page.locator('.loading').waitFor()
      await shoot(page, 'loading')
      release()
      await page.getByText('No version yet').or(page.getByLabel('Days until')).first().waitFor()
      await page.unroute('**/graphql')
    },
  )

  step('is there on a slow network, and says meanwhile that it is at work', async () => {
    const own = await ui.browser.newContext({ storageState: await context.storageState() })
    const far = await own.newPage()
    const session = await own.newCDPSession(far)
    await session.send('Network.enable')
    await session.send('Network.emulateNetworkConditions', SLOW_NETWORK)
    await open(`${VERSION}/status`, far)
    await far.locator('.loading').first().waitFor()
    await far.locator('.react-flow__node').first().waitFor()
    await far.getByRole('link', { name: 'Requests', exact: true }).first().click()
    await far.locator('tbody tr').first().waitFor()
    await far.getByText('Live: changes show by themselves').waitFor()
    await own.close()
  })

  step(
    'leads a newcomer from the runtimes to an answer in as many clicks as its tour says',
    async () => {
      const folder = join(ui.kre.dataDir, '..', 'my-first')
      await ui.kre.json('krt', 'init', folder, '--template', 'typescript')
      await ui.kre.json('krt', 'build', folder, '-o', `${folder}.krt`)
      await open('/ui/')
      await page.evaluate(
        'window.clicks = 0; addEventListener("pointerdown", () => { window.clicks += 1 }, true)',
      )
      const click = (role: 'link' | 'button', name: string) =>
        page.getByRole(role, { name, exact: true }).click()
      await click('link', 'Court')
      await click('link', 'Upload version')
      const chosen = page.waitForEvent('filechooser')
      await page.getByText('Choose a file').click()
      await (await chosen).setFiles(`${folder}.krt`)
      await page.getByRole('heading', { name: 'my-first-v1' }).waitFor()
      await click('button', 'Start')
      await confirm(page, 'Start', 'my first')
      await page.getByRole('button', { name: 'Publish' }).click({ timeout: 90_000 })
      await confirm(page, 'Publish', 'it works')
      await click('link', 'Try it')
      await click('button', 'Call')
      const answer = page.getByRole('region', { name: 'Answer' })
      await answer.getByText('OK').first().waitFor()
      const tour = await readFile(join(root, 'docs/ui.md'), 'utf8')
      const [, promised] = /to an answer in (\d+) clicks/.exec(tour) ?? []
      expect(await page.evaluate('window.clicks')).toBe(Number(promised))
    },
  )

  step('has no view, in either theme, in which axe finds a fault or that is too wide', async () => {
    const [request] = await ui.kre.json<{ id: string }[]>(
      'version',
      'requests',
      '-r',
      'court',
      'judge-v1',
    )
    const { url } = await ui.kre.json<{ url: string }>('login', '--user', 'ada@kre.io')
    const views = allUiViews({
      runtimeId: 'court',
      versionName: 'judge-v1',
      otherVersion: 'my-first-v1',
      requestId: request?.id ?? '',
      email: 'bob@kre.io',
      signInLink: url.slice(ui.adminUrl.length),
    })
    const bob = await ui.signIn('bob@kre.io')
    const [owner, viewer] = await Promise.all([context.storageState(), bob.context.storageState()])
    await bob.context.close()
    const seen = await lookAtViews(ui, views, { owner, viewer })
    expect(seen).toHaveLength(2 * views.length)
    const faults = seen.flatMap(({ view, theme, axe, narrowWidth }) => [
      ...axe.violations.map((text) => `${view.name} ${theme}: ${text}`),
      ...(narrowWidth === 360 || narrowWidth === null
        ? []
        : [`${view.name} ${theme}: ${narrowWidth} pixels of 360`]),
    ])
    expect(faults).toEqual([])
  })

  step('works where a static server has its files, below a path of its own', async () => {
    const folder = join(ui.kre.dataDir, '..', 'console')
    await promisify(execFile)(process.execPath, [
      join(root, 'admin-ui/scripts/build.ts'),
      '--base',
      '/console/ui/',
      '--out',
      folder,
    ])
    await using proxy = await startPathProxy('/console', () => ui.adminUrl, { uiFolder: folder })
    await page.goto(`${proxy.url}/console${VERSION}/status`)
    await page.locator('.react-flow__node').first().waitFor()
    await page.getByText('Live: changes show by themselves').waitFor()
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByLabel('Days until').waitFor()
    expect(new URL(page.url()).pathname).toBe('/console/ui/settings')
    await open('/ui/')
    ui.complaints.length = 0
  })

  step('caused no other complaint of the browser', async () => {
    expect(ui.complaints).toEqual([])
  })
})

/** The field of a form for a time some hours ago, in UTC. */
function minuteAgo(hours: number): string {
  const at = new Date(BEGIN_MS - hours * 3_600_000)
  return at.toISOString().slice(0, '2026-01-31T12:00'.length)
}

function viewPath(view: string): string {
  return `${VERSION}/${view}`
}
