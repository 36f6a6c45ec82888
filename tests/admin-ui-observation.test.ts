/** What people look at in the admin UI: the live graph by mouse and by keys, the report of an upload, and the log. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { KiB, MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Page } from 'playwright-core'
import {
  createSteps,
  describeInBrowser,
  look,
  startUi,
  widthOf,
  type UiWorld,
} from './support/admin-ui.ts'
import { shoot } from './support/browser.ts'
import { connectForeign } from './support/grpc-client.ts'
import type { Status } from './support/kre.ts'

const RUNTIME = '/ui/runtimes/shop'
const STATUS = `${RUNTIME}/versions/busy-v1/status`
const LOGS = `${RUNTIME}/versions/busy-v1/logs`
/** What a program writes that means no text, and how its line is shown. */
const BINARY_BYTES = [0x62, 0x69, 0x6e, 0x3a, 0x00, 0x1b, 0xff, 0xfe, 0xe2, 0x82]
const BINARY_LINE = String.raw`bin:\u{0}\u{1b}\xff\xfe\xe2\x82`
/** At the end of what is left of a line of ten million letters. */
const MARK = ' … (10000000 characters)'
const HOSTILE_NAME = 'gpj.\u202e<img src=x onerror=alert(1)>.krt'
let ui: UiWorld
let page: Page
let folder: string

describeInBrowser('watching in the admin UI', () => {
  beforeAll(async () => {
    ui = await startUi()
    folder = join(ui.kre.dataDir, '..', 'busy')
    await ui.kre.json('runtime', 'create', 'shop', '--name', 'Shop')
    await makeBundle()
    await ui.kre.json('version', 'create', '-r', 'shop', folder)
    await ui.kre.json('version', 'start', 'busy-v1', '-r', 'shop', '--comment', 'to be watched')
    ;({ page } = await ui.signIn())
  })
  afterAll(async () => {
    await ui?.[Symbol.asyncDispose]()
  })
  const step = createSteps()
  const open = (path: string) => page.goto(`${ui.adminUrl}${path}`)
  const details = () => page.getByRole('complementary', { name: 'Details' })

  step('shows what waits at each node, and which nodes share a process', async () => {
    await open(STATUS)
    await page.locator('.card-started').nth(1).waitFor()
    await using calls = await keepCalling(8)
    // Eight callers of a handler that takes one at a time.
    const queue = page.locator('.react-flow__node', { hasText: 'slow' }).locator('.warn dd')
    await queue.waitFor()
    expect(Number(await queue.innerText())).toBeGreaterThan(2)
    await page.getByText('shared process').first().waitFor()
    await page.locator('.legend', { hasText: 'inside one process' }).waitFor()
    await shoot(page, 'graph-queue')
    await page.getByRole('button', { name: 'Table' }).click()
    await page
      .getByRole('row', { name: /clean → slow/ })
      .getByText('inside one process')
      .waitFor()
    await look(page, 'graph-tables')
    expect(calls.failed()).toEqual([])
  })

  step('keeps the last times of what rests, and says that nothing goes on', async () => {
    await open(STATUS)
    const entrypoint = page.locator('.react-flow__node').first()
    await entrypoint.getByText('0/s').waitFor()
    await using calls = await keepCalling(1)
    await entrypoint.locator('.card-figures').getByText(/ms|s$/).first().waitFor()
    await calls.end()
    await entrypoint.locator('.is-past').first().waitFor()
    await entrypoint.getByText('0/s').waitFor()
    expect(await entrypoint.locator('.is-past dd').first().innerText()).toMatch(/\d/)
  })

  step('can be gone through with the keyboard', async () => {
    await open(STATUS)
    await page.locator('.react-flow__node').nth(2).waitFor()
    await page.locator('.react-flow__node').first().focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await details().getByRole('heading', { name: 'slow' }).waitFor()
    await details().getByText('Wait for a handler').waitFor()
    await details().locator('.history svg').waitFor()
    await details().locator('.neighbours a').first().waitFor()
    await look(page, 'graph-node')
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await widthOf(page)).toBe(360)
    await shoot(page, 'narrow-graph-node')
    await page.setViewportSize({ width: 1360, height: 860 })
    await details().getByRole('button', { name: 'clean' }).click()
    await details().getByRole('heading', { name: 'clean → slow' }).waitFor()
    await page.keyboard.press('Escape')
    await details().waitFor({ state: 'detached' })
  })

  step('shows samples of what goes over an edge, when somebody asks for them', async () => {
    await page.getByRole('button', { name: 'Table' }).click()
    await page.getByRole('button', { name: 'clean → slow' }).click()
    await details().getByText('None of this way was kept.').waitFor()
    await details().getByRole('button', { name: 'Keep samples for 15 minutes' }).click()
    await details()
      .getByText(/are kept until/)
      .waitFor()
    await using _calls = await keepCalling(1)
    const samples = details().locator('.samples pre')
    await waitUntil(
      'a sample',
      async () => {
        await details().getByRole('button', { name: 'Refresh' }).click()
        return (await samples.count()) > 0
      },
      { everyMs: 500 },
    )
    expect(await samples.first().innerText()).toContain('Ada')
    await shoot(page, 'graph-edge')
  })

  step('puts findings between the lines of the files that they are about', async () => {
    await open(`${RUNTIME}/new-version`)
    await choose(await packBroken())
    await page.getByRole('heading', { name: /did not become a version/ }).waitFor()
    const manifest = page.getByRole('region', { name: 'Findings in kre.yaml' })
    await manifest.locator('.source-error', { hasText: 'subscriptions: [ghost]' }).waitFor()
    expect(await manifest.locator('.source-error mark').first().innerText()).not.toBe('')
    await manifest.getByText('SUBSCRIPTION_UNKNOWN').first().waitFor()
    await page.getByRole('region', { name: 'Findings in src/slow.ts' }).locator('mark').waitFor()
    await look(page, 'upload-report')
    await manifest.getByRole('button', { name: 'Show the whole file' }).click()
    await manifest.getByText('krtVersion: v2').waitFor()
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await widthOf(page)).toBe(360)
    await shoot(page, 'narrow-upload-report')
    await page.setViewportSize({ width: 1360, height: 860 })
  })

  step('says of a wrong file what is wrong, before it sends a byte', async () => {
    await open(`${RUNTIME}/new-version`)
    const sent: string[] = []
    page.on('request', (request) => {
      if (['PUT', 'PATCH'].includes(request.method())) sent.push(request.url())
    })
    for (const [files, text] of [
      [[file('cat.png', '\u0089PNG')], 'That is no bundle'],
      [[file('empty.krt', '')], 'That file is empty'],
      [[file('a.krt', 'a'), file('b.krt', 'b')], 'One bundle at a time'],
    ] as const) {
      await drop('.page-head', files)
      await page.getByRole('alert').filter({ hasText: text }).waitFor()
    }
    expect(sent).toEqual([])
    await shoot(page, 'upload-wrong-file')
  })

  step(
    'takes a file that is dropped beside the field, and shows hostile names as text',
    async () => {
      await drop('.footer', [file(HOSTILE_NAME, '\u001f\u008b not gzip at all')])
      await page.getByRole('heading', { name: /gpj\.\\u\{202e\}<img src=x/ }).waitFor()
      await page
        .getByText(/ARCHIVE_/)
        .first()
        .waitFor()
      await open(`${RUNTIME}/versions`)
      await drop('.page-head', [file('stray.krt', 'x')])
      await page.getByRole('heading', { name: 'Shop' }).waitFor()
      ui.complaints.length = 0
    },
  )

  step(
    'goes on with an upload when the network is back, and gives room back when it is left',
    async () => {
      await open(`${RUNTIME}/new-version`)
      const parts: number[] = []
      let isCut = true
      await page.route('**/uploads/*', async (route) => {
        if (route.request().method() === 'PATCH') {
          parts.push(Number(route.request().headers()['upload-offset']))
          if (isCut && parts.length > 1) return route.abort('connectionreset')
        }
        return route.continue()
      })
      await choose(await packLarge())
      await page.getByText(/Interrupted after 4 MiB/).waitFor()
      await look(page, 'upload-interrupted')
      isCut = false
      await page.getByRole('heading', { name: 'large-v1' }).waitFor()
      expect(parts.filter((offset) => offset === 0)).toHaveLength(1)
      await open(`${RUNTIME}/new-version`)
      isCut = true
      parts.length = 0
      const given = page.waitForRequest((request) => request.method() === 'DELETE')
      await choose(`${folder}-large.krt`)
      await page.getByText(/Interrupted/).waitFor()
      await page.getByRole('button', { name: 'Cancel' }).click()
      await given
      await page.getByText(/Drop a bundle/).waitFor()
      await page.unroute('**/uploads/*')
      ui.complaints.length = 0
    },
  )

  step('follows a log, and holds it back while somebody reads', async () => {
    await open(LOGS)
    await page.locator('.log-line', { hasText: 'greeting Ada' }).first().waitFor()
    await page.locator('.log-more', { hasText: '+2 lines' }).first().waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await using calls = await keepCalling(2)
    await page.getByRole('button', { name: /Go on \(\d+ new\)/ }).waitFor()
    const heightOf = () => page.locator('.log ol').getAttribute('style')
    const before = await heightOf()
    await shoot(page, 'logs-paused')
    expect(await heightOf()).toBe(before)
    await page.getByRole('button', { name: /Go on/ }).click()
    await waitUntil('the lines', async () => (await heightOf()) !== before)
    await calls.end()
  })

  step('leads from a line to what is around it, and to its request', async () => {
    await page.locator('.log').focus()
    await page.keyboard.press('Home')
    await page.locator('.log-line[aria-pressed="true"]').waitFor()
    await page.keyboard.press('ArrowDown')
    const line = page.getByRole('complementary', { name: 'One line' })
    await line
      .getByText(/third line|greeting/)
      .first()
      .waitFor()
    await look(page, 'logs-line')
    await line.getByRole('link', { name: 'Lines around it' }).click()
    await page.getByText('All lines around').waitFor()
    await page.locator('.log-line[aria-pressed="true"]').waitFor()
    await shoot(page, 'logs-around')
    await page.locator('.log-request').first().click()
    await page.getByRole('heading', { name: /One request|Not kept/ }).waitFor()
    await page.goBack()
    await page.getByRole('link', { name: 'Back to the newest lines' }).click()
    await page.getByText('Following new lines').waitFor()
  })

  step(
    'cuts lines of 10 MB with a mark, spells out what is no text, and stays usable',
    async () => {
      await callOnce('Large')
      await callOnce('Binary')
      await open(LOGS)
      const line = page.getByRole('complementary', { name: 'One line' })
      for (const letter of ['p', 'w']) {
        const row = page.locator('.log-message', { hasText: letter.repeat(400) })
        await row.click()
        const text = await line.locator('pre').innerText()
        expect(text).toMatch(new RegExp(`^${letter}{16000,} … \\(10000000 characters\\)$`))
        expect(text).toHaveLength(16 * KiB)
        expect((await row.innerText()).length).toBeLessThan(1_000)
      }
      expect(await widthOf(page)).toBe(1360)
      await shoot(page, 'logs-large')
      await page.locator('.log-message', { hasText: BINARY_LINE }).click()
      await line.locator('pre', { hasText: BINARY_LINE }).waitFor()
      const downloaded = page.waitForEvent('download')
      await page.getByRole('link', { name: 'Download' }).click()
      const file = await readFile(await (await downloaded).path(), 'utf8')
      const lines = file.trimEnd().split('\n')
      expect(lines.filter((one) => one.endsWith(MARK))).toHaveLength(2)
      expect(lines.filter((one) => one.includes(BINARY_LINE))).toHaveLength(1)
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(17 * KiB)
      await page.getByRole('searchbox').fill('greeting Large')
      await page.locator('.log-line', { hasText: 'w'.repeat(400) }).waitFor({ state: 'detached' })
      await page.locator('.log-line', { hasText: 'greeting Large' }).click()
      await line.getByText('third line').waitFor()
    },
  )

  step('caused no complaint of the browser', async () => {
    expect(ui.complaints).toEqual([])
  })
})

async function choose(path: string): Promise<void> {
  await page.locator('input[type=file]').setInputFiles(path)
}

type Dropped = { readonly name: string; readonly content: string }
const file = (name: string, content: string): Dropped => ({ name, content })

/** Files as a hand drops them: each character of the content is a byte. */
async function drop(selector: string, files: readonly Dropped[]): Promise<void> {
  const transfer = await page.evaluateHandle((all) => {
    const made = new DataTransfer()
    for (const { name, content } of all) {
      const bytes = Uint8Array.from(content, (one) => one.codePointAt(0) ?? 0)
      made.items.add(new File([bytes], name))
    }
    return made
  }, files)
  for (const type of ['dragover', 'drop'])
    await page.dispatchEvent(selector, type, { dataTransfer: transfer })
}

async function callOnce(name: string): Promise<void> {
  using client = await connectToVersion()
  await client.call({ name })
}

async function connectToVersion() {
  const { addresses } = await ui.kre.json<Status>('status')
  const own = addresses.find(({ runtime, version }) => runtime === 'shop' && version === 'busy-v1')
  return connectForeign(own?.address ?? '', 'hello.Entrypoint', 'Greet')
}

/** So many callers at once, until the end. */
async function keepCalling(callers: number) {
  const client = await connectToVersion()
  const stop = new AbortController()
  const failures: unknown[] = []
  const calls = Array.from({ length: callers }, async () => {
    while (!stop.signal.aborted)
      await client.call({ name: 'Ada' }).catch((error: unknown) => {
        failures.push(error)
        stop.abort()
      })
  })
  const end = async (): Promise<void> => {
    if (stop.signal.aborted && calls.length === 0) return
    stop.abort()
    await Promise.all(calls.splice(0))
    client[Symbol.dispose]()
  }
  return { failed: () => failures, end, [Symbol.asyncDispose]: end }
}

/** Two nodes in one process; the second takes a moment for each message, and writes lines of several lines, on request huge ones and bytes. */
async function makeBundle(): Promise<void> {
  await ui.kre.json('krt', 'init', folder, '--template', 'typescript')
  const manifest = await readFile(join(folder, 'kre.yaml'), 'utf8')
  await writeFile(
    join(folder, 'kre.yaml'),
    manifest
      .replace(/^version:.*/m, 'version: busy-v1')
      .replace('exitpoint: greet', 'exitpoint: slow\n    fuse: true')
      .replace('name: greet\n        image', 'name: slow\n        concurrency: 1\n        image')
      .replace('src/greet.ts', 'src/slow.ts'),
  )
  const greet = await readFile(join(folder, 'src/greet.ts'), 'utf8')
  await rm(join(folder, 'src/greet.ts'))
  await writeFile(
    join(folder, 'src/slow.ts'),
    greet.replace(
      /ctx\.logger\.info\([^\n]*\n/,
      `ctx.logger.info(\`greeting \${name}\\n  second line\\n  third line\`)
  if (name === 'Large') {
    console.log('p'.repeat(10_000_000))
    ctx.logger.warn('w'.repeat(10_000_000))
  }
  if (name === 'Binary') process.stdout.write(Uint8Array.of(${BINARY_BYTES.join()}, 10))
  await new Promise((resolve) => setTimeout(resolve, 150))
`,
    ),
  )
}

/** A manifest that is wrong in two places, and code that does not parse. */
async function packBroken(): Promise<string> {
  const broken = `${folder}-broken`
  await cp(folder, broken, { recursive: true })
  const manifest = await readFile(join(broken, 'kre.yaml'), 'utf8')
  await writeFile(
    join(broken, 'kre.yaml'),
    manifest.replace('[clean]', '[ghost]').replace('exitpoint: slow', 'exitpoint: sloow'),
  )
  await writeFile(join(broken, 'src/slow.ts'), 'export const a = 1\nexport function (\n')
  execFileSync('tar', ['-czf', `${broken}.krt`, '-C', broken, '.'])
  return `${broken}.krt`
}

/** More than two parts long, however it is compressed. */
async function packLarge(): Promise<string> {
  const large = `${folder}-large`
  await cp(folder, large, { recursive: true })
  const manifest = await readFile(join(large, 'kre.yaml'), 'utf8')
  await writeFile(join(large, 'kre.yaml'), manifest.replace('busy-v1', 'large-v1'))
  await mkdir(join(large, 'models'), { recursive: true })
  await writeFile(join(large, 'models/noise.bin'), randomBytes(9 * MiB))
  await ui.kre.json('krt', 'build', large, '-o', `${large}.krt`)
  return `${large}.krt`
}
