/** The admin UI in a real browser, against a whole engine: the life of a bundle by clicks, and every view looked at. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { KiB, MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import axe from 'axe-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import {
  confirm as confirmIn,
  createSteps,
  describeInBrowser,
  look as lookAt,
  signInAgain,
} from './support/admin-ui.ts'
import { launchBrowser, shoot } from './support/browser.ts'
import { connectForeign } from './support/grpc-client.ts'
import { startPathProxy } from './support/path-proxy.ts'
import { createKre, root, type Kre, type Status } from './support/kre.ts'

const HOSTILE = '<img src=x onerror=alert(1)>"\'</script>{{7*7}}'
const HOSTILE_DOCUMENT = `# How to greet

[bad](javascript:alert(1)) [worse](data:text/html,x) ![spy](https://evil.example/a.png) [More](more.md)

<script>alert(1)</script> <b>not bold</b> <iframe src="javascript:alert(1)"></iframe>

| a | b |
|---|---|
| 1 | \`two\` |
`

let kre: Kre
let browser: Browser
let context: BrowserContext
let page: Page
let bundle: string
let adminUrl: string
/** What the browser complained about, and what it asked others for. */
const complaints: string[] = []
const foreign: string[] = []

describeInBrowser('the admin UI', () => {
  beforeAll(async () => {
    // Mails become files.
    // The UI sends nothing but what is on its list.
    kre = await createKre({ KRE_DEVELOPMENT_MODE: 'true', KRE_PERSISTED_OPERATIONS: 'true' })
    bundle = join(kre.dataDir, '..', 'first.krt')
    const [urls, launched] = await Promise.all([
      kre.json<{ loginUrl: string; adminUrl: string }>('dev', '--detach', '--no-example'),
      launchBrowser(),
    ])
    browser = launched
    adminUrl = urls.adminUrl
    const { loginUrl } = urls
    await makeBundles()
    context = await browser.newContext({ viewport: { width: 1360, height: 860 } })
    context.setDefaultTimeout(15_000)
    await context.addInitScript({ content: axe.source })
    page = await context.newPage()
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning')
        complaints.push(`${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(adminUrl)) foreign.push(request.url())
    })
    await page.goto(`${adminUrl}/`)
    await page.getByRole('heading', { name: 'Sign in to KRE' }).waitFor()
    // The first question of who this is was answered with 401, as it should be.
    complaints.length = 0
    await page.goto(loginUrl)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Runtimes', exact: true }).waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    await kre?.[Symbol.asyncDispose]()
  })

  const step = createSteps()

  step('leads from nothing to a runtime', async () => {
    await page.getByText('No runtime yet').waitFor()
    await shoot(page, 'runtimes-empty')
    await page.getByRole('link', { name: 'Add runtime' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Credit Scoring')
    await page.getByLabel('Description', { exact: true }).fill(HOSTILE)
    expect(await page.getByLabel('Id', { exact: true }).inputValue()).toBe('credit-scoring')
    await page.getByRole('button', { name: 'Add runtime', exact: true }).click()
    await page.getByText('No version yet').waitFor()
    await shoot(page, 'versions-empty')
  })

  step('shows the whole report of a bundle that is none, and where each fault is', async () => {
    await page.getByRole('link', { name: 'Upload version' }).click()
    await choose(join(kre.dataDir, '..', 'broken.krt'))
    await page.getByRole('heading', { name: /did not become a version/ }).waitFor()
    expect(await page.locator('.issue-error').count()).toBeGreaterThan(0)
    await page
      .getByText(/kre\.yaml:\d+:\d+/)
      .first()
      .waitFor()
  })

  step('takes a bundle, which becomes a version', async () => {
    await choose(bundle)
    await page.getByRole('heading', { name: 'first-v1' }).waitFor()
    await page.getByText('Created', { exact: true }).first().waitFor()
    await shoot(page, 'version-created')
  })

  step('asks for its configuration, takes it and never shows it', async () => {
    await page.getByRole('link', { name: 'Complete configuration' }).click()
    await page.getByLabel('New value of SIGNATURE', { exact: true }).fill('top-secret')
    await page.locator('textarea[aria-label="New value of RULES"]').fill(`a: 1\n${HOSTILE}`)
    await page.getByText('2 changes not saved.').waitFor()
    await shoot(page, 'configuration')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Every key has a value.').waitFor()
    expect(await page.locator('body').innerText()).not.toContain('top-secret')
    await page.getByRole('navigation', { name: 'Views' }).getByText('Graph').click()
  })

  step('starts it after saying what happens, and shows it live', async () => {
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await shoot(page, 'start-dialog')
    await confirm('Start', 'of a test')
    await page.locator('.page-head .chip-started').waitFor({ timeout: 90_000 })
    await page.locator('.card-started').first().waitFor()
  })

  step('publishes it', async () => {
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await confirm('Publish', "it's ready")
    await page.locator('.page-head .chip-published').waitFor()
  })

  step('draws its traffic as it flows', async () => {
    const { addresses } = await kre.json<Status>('status')
    const published = addresses.find(({ runtime, version }) => runtime !== null && version === null)
    using client = await connectForeign(published?.address ?? '', await serviceName(), 'Greet')
    const stop = new AbortController()
    const calls = (async () => {
      while (!stop.signal.aborted) await client.call({ name: 'Ada' })
    })()
    await page.locator('.flow-label').first().waitFor()
    await shoot(page, 'version-live')
    await page.locator('.react-flow__node').nth(1).click()
    await page.getByRole('rowheader', { name: 'Handler', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Table' }).click()
    await page.getByRole('row', { name: /greet/i }).first().waitFor()
    stop.abort()
    await calls
  })

  step('shows requests, and where the time of one went', async () => {
    await page.getByRole('link', { name: 'Requests', exact: true }).first().click()
    await page.locator('tbody tr').first().waitFor()
    await page.locator('tbody tr a').first().click()
    await page.locator('.waterfall').waitFor()
  })

  step('shows the log', async () => {
    await page.getByRole('navigation', { name: 'Views' }).getByText('Logs').click()
    await page.getByRole('combobox', { name: 'Level' }).selectOption('DEBUG')
    await page.locator('.log-line, .face').first().waitFor()
  })

  step('shows its documents as text and elements, whatever is in them', async () => {
    await page.getByRole('navigation', { name: 'Views' }).getByText('Documentation').click()
    await page.getByRole('heading', { name: 'How to greet' }).waitFor()
    expect(await page.locator('.document').locator('script, iframe, img').count()).toBe(0)
    expect(await page.locator('.document a[href^="javascript"]').count()).toBe(0)
    await page.getByText('<b>not bold</b>').waitFor()
    await page.locator('.document').getByRole('link', { name: 'More' }).click()
    await page.getByRole('heading', { name: 'More of it' }).waitFor()
    await page.getByRole('navigation', { name: 'Views' }).getByText('Predictions').click()
    await page.getByText('No predictions').waitFor()
    await shoot(page, 'predictions-empty')
  })

  step('draws 60 nodes that can be told apart', async () => {
    await makeWideBundle()
    await page.goto(new URL('/ui/runtimes/credit-scoring/versions/wide-v1/status', page.url()).href)
    await page.locator('.react-flow__node').nth(60).waitFor()
    await look('graph-60')
  })

  step('sends a large bundle in parts, and goes on after a cut', async () => {
    await page.goto(`${adminUrl}/ui/runtimes/credit-scoring/new-version`)
    let parts = 0
    await page.route('**/uploads/*', async (route) => {
      if (route.request().method() === 'PATCH') parts += 1
      // The second part never gets there.
      if (parts === 2 && route.request().method() === 'PATCH') await route.abort('connectionreset')
      else await route.continue()
    })
    await choose(await makeLargeBundle())
    await page.getByRole('heading', { name: 'large-v1' }).waitFor()
    expect(parts).toBeGreaterThanOrEqual(3)
    await page.unroute('**/uploads/*')
    // The browser tells of the cut.
    complaints.length = 0
  })

  step('deletes a version, after asking why', async () => {
    await page.getByRole('button', { name: 'Delete', exact: true }).click()
    await confirm('Delete', 'of no use')
    await page.getByRole('heading', { name: 'Credit Scoring' }).waitFor()
    await page.getByRole('link', { name: 'large-v1' }).waitFor({ state: 'detached' })
    complaints.length = 0
  })

  step('offers a viewer nothing that he may not', async () => {
    await kre.json('user', 'create', 'viewer@kre.io', '--level', 'VIEWER')
    const { url } = await kre.json<{ url: string }>('login', '--user', 'viewer@kre.io')
    const own = await browser.newContext({ viewport: { width: 1360, height: 860 } })
    const viewer = await own.newPage()
    await viewer.goto(url)
    await viewer.getByRole('button', { name: 'Sign in' }).click()
    await viewer.getByRole('link', { name: 'Credit Scoring' }).click()
    await viewer.getByRole('link', { name: 'first-v1' }).first().click()
    await viewer.locator('.react-flow__node').first().waitFor()
    for (const name of ['Add runtime', 'Upload version', 'Unpublish', 'Stop', 'Users', 'Settings'])
      expect([name, await viewer.getByText(name, { exact: true }).count()]).toEqual([name, 0])
    await viewer.goto(new URL('/ui/users', url).href)
    await viewer.getByRole('heading', { name: 'No access' }).waitFor()
    await own.close()
  })

  step('signs in by a mailed link', async () => {
    const own = await browser.newContext()
    const viewer = await own.newPage()
    await viewer.goto(`${adminUrl}/ui/runtimes/credit-scoring/versions`)
    await viewer.getByLabel('E-mail address').fill('viewer@kre.io')
    await viewer.getByRole('button', { name: 'Send me a link' }).click()
    await viewer.getByRole('heading', { name: 'Look into your mail' }).waitFor()
    await viewer.goto(await mailedLink())
    await viewer.getByRole('button', { name: 'Sign in' }).click()
    await viewer.getByRole('link', { name: 'Credit Scoring' }).waitFor()
    await own.close()
  })

  step('keeps what was typed when the login ends, and goes on after a new one', async () => {
    await page.getByRole('link', { name: 'Runtimes' }).first().click()
    await page.getByRole('link', { name: 'Add runtime' }).click()
    await page.getByLabel('Name', { exact: true }).fill('Typed before')
    await page.getByLabel('Description', { exact: true }).fill('and kept')
    await context.clearCookies()
    await page.getByRole('button', { name: 'Add runtime', exact: true }).click()
    await page.getByRole('heading', { name: 'Your login has ended' }).waitFor()
    await look('session-over')
    await signInAgain(kre, page)
    expect(await page.getByLabel('Description', { exact: true }).inputValue()).toBe('and kept')
    await page.getByRole('button', { name: 'Add runtime', exact: true }).click()
    await page.getByText('No version yet').waitFor()
    complaints.length = 0
  })

  step('shows what strangers wrote as text', async () => {
    await page.goto(new URL('/ui/', page.url()).href)
    await page.getByText(HOSTILE).first().waitFor()
  })

  for (const [link, name] of [
    ['Users', 'Users'],
    ['Audit', 'Audit log'],
    ['Settings', 'Settings'],
    ['dev@local.local', 'Profile'],
  ] as const)
    step(`leads to: ${name}`, async () => {
      await page.getByRole('banner').getByRole('link', { name: link }).click()
      await page.getByRole('heading', { name, level: 1, exact: true }).waitFor()
      await page.locator('.loading').waitFor({ state: 'detached' })
    })

  step('says what is not there', async () => {
    await page.goto(new URL('/ui/nothing/here', page.url()).href)
    await page.getByText('There is nothing at this address.').waitFor()
    await page.goto(new URL('/ui/runtimes/no-such/versions', page.url()).href)
    await page.getByText(/there is no runtime/).waitFor()
  })

  step('works below a path that a proxy puts in front, from the sign-in on', async () => {
    await using proxy = await startPathProxy('/kre', () => adminUrl)
    const own = await browser.newContext()
    const stranger = await own.newPage()
    const { url } = await kre.json<{ url: string }>('login')
    await stranger.goto(url.replace(adminUrl, `${proxy.url}/kre`))
    await stranger.getByRole('button', { name: 'Sign in' }).click()
    await stranger.getByRole('link', { name: 'Credit Scoring' }).click()
    await stranger.getByRole('link', { name: 'first-v1' }).first().click()
    await stranger.locator('.react-flow__node').first().waitFor()
    await stranger.getByText('Live: changes show by themselves').waitFor()
    expect(new URL(stranger.url()).pathname).toBe(
      '/kre/ui/runtimes/credit-scoring/versions/first-v1/status',
    )
    await own.close()
  })

  step(
    'says that the engine is gone, over a dialog, too, and goes on when it is back',
    async () => {
      await page.goto(`${adminUrl}/ui/runtimes/credit-scoring/versions/first-v1/status`)
      await page.locator('.page-head .chip-published').waitFor()
      await page.getByRole('button', { name: 'Unpublish', exact: true }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByLabel('Why').fill('typed before the restart')
      await kre.run('stop')
      // From when the page is, with the zone.
      await page
        .getByText(/connection to the engine was lost.* as of \d\d \w+ \d{4}, \d\d:\d\d:\d\d \S+;/)
        .waitFor()
      await dialog.getByRole('button', { name: 'Unpublish', exact: true }).click()
      await dialog.getByText(/The engine does not answer/).waitFor()
      await look('engine-gone')
      await kre.json('dev', '--detach', '--no-example')
      // The engine came back at the port it had.
      await page.getByText(/connection to the engine was lost/).waitFor({ state: 'detached' })
      await page.getByText('Live: changes show by themselves').waitFor()
      await page.locator('.page-head .chip-published').waitFor()
      expect(await dialog.getByLabel('Why').inputValue()).toBe('typed before the restart')
      await dialog.getByRole('button', { name: 'Unpublish', exact: true }).click()
      await dialog.waitFor({ state: 'detached' })
      await page.locator('.page-head .chip-started').waitFor()
      complaints.length = 0
    },
  )

  step('loads little before it is usable', async () => {
    expect(await firstLoadBytes()).toBeLessThan(200 * KiB)
  })

  step('caused no complaint of the browser, and asked nobody but the engine', async () => {
    expect(complaints).toEqual([])
    expect(foreign).toEqual([])
  })
})

async function choose(path: string): Promise<void> {
  await page.locator('input[type=file]').setInputFiles(path)
}

const confirm = (verb: string, comment: string) => confirmIn(page, verb, comment)
const look = (name: string) => lookAt(page, name)

/** Bytes of script, as they are sent, that the page asks for before anything else. */
async function firstLoadBytes(): Promise<number> {
  const dist = join(root, 'admin-ui/dist')
  const html = await readFile(join(dist, 'index.html'), 'utf8')
  const names = [...html.matchAll(/assets\/([\w.-]+\.js)"/g)].map(([, name]) => name ?? '')
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(dist, 'assets', `${name}.br`))).size),
  )
  expect(sizes.length).toBeGreaterThan(0)
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function serviceName(): Promise<string> {
  const proto = await readFile(join(kre.dataDir, '..', 'first', 'public_input.proto'), 'utf8')
  const [, name] = /^package\s+([\w.]+);/m.exec(proto) ?? []
  const [, service] = /^service\s+(\w+)/m.exec(proto) ?? []
  return `${name}.${service}`
}

/** A good bundle, and one whose manifest is wrong in several places. */
async function makeBundles(): Promise<void> {
  const folder = join(kre.dataDir, '..', 'first')
  await kre.json('krt', 'init', folder, '--template', 'typescript')
  const manifest = await readFile(join(folder, 'kre.yaml'), 'utf8')
  const config = 'config:\n  variables: [SIGNATURE]\n  files: [RULES]\n\nworkflows:'
  await writeFile(join(folder, 'kre.yaml'), manifest.replace('workflows:', config))
  // The template's own leaves out every README.
  await rm(join(folder, '.krtignore'))
  await mkdir(join(folder, 'docs'), { recursive: true })
  await writeFile(join(folder, 'docs/README.md'), HOSTILE_DOCUMENT)
  await writeFile(join(folder, 'docs/more.md'), '# More of it\n')
  await kre.json('krt', 'build', folder, '-o', bundle)
  const broken = join(kre.dataDir, '..', 'broken')
  await mkdir(broken)
  await writeFile(
    join(broken, 'kre.yaml'),
    manifest.replace(/^description:.*/m, "description: ''").replaceAll('entrypoint]', 'ghost]'),
  )
  execFileSync('tar', ['-czf', `${broken}.krt`, '-C', broken, 'kre.yaml'])
}

/** Six rows of ten nodes. */
async function makeWideBundle(): Promise<void> {
  const folder = join(kre.dataDir, '..', 'wide')
  await cp(join(kre.dataDir, '..', 'first'), folder, { recursive: true })
  const manifest = await readFile(join(folder, 'kre.yaml'), 'utf8')
  const nodes = Array.from({ length: 60 }, (_, index) => {
    const from = index < 6 ? 'entrypoint' : `n${index - 6}`
    return `      - { name: n${index}, image: konstellation/kre-ts:1.0, src: src/greet.ts, subscriptions: [${from}] }`
  })
  const workflow = [
    'workflows:',
    '  - name: wide',
    '    entrypoint: Greet',
    '    exitpoint: n59',
    '    nodes:',
    ...nodes,
    '',
  ]
  await writeFile(
    join(folder, 'kre.yaml'),
    manifest
      .replace(/^version:.*/m, 'version: wide-v1')
      .replace(/^workflows:[^]*/m, workflow.join('\n')),
  )
  await kre.json('version', 'create', '-r', 'credit-scoring', folder)
}

/** More than one part long, however it is compressed. */
async function makeLargeBundle(): Promise<string> {
  const folder = join(kre.dataDir, '..', 'large')
  await cp(join(kre.dataDir, '..', 'first'), folder, { recursive: true })
  const manifest = await readFile(join(folder, 'kre.yaml'), 'utf8')
  await writeFile(join(folder, 'kre.yaml'), manifest.replace(/^version:.*/m, 'version: large-v1'))
  await mkdir(join(folder, 'models'), { recursive: true })
  await writeFile(join(folder, 'models/noise.bin'), randomBytes(9 * MiB))
  await kre.json('krt', 'build', folder, '-o', `${folder}.krt`)
  return `${folder}.krt`
}

/** The link of the one mail that was sent. */
async function mailedLink(): Promise<string> {
  const folder = join(kre.dataDir, 'mail')
  return waitUntil('the mail', async () => {
    const [name] = await readdir(folder).catch(() => [])
    const text = name === undefined ? '' : await readFile(join(folder, name), 'utf8')
    return /http\S+\/signin\/\S+/.exec(text)?.[0] ?? null
  })
}
