/**
 * `npm run pictures -w admin-ui`: takes the pictures of the documents, in both themes, from an engine of its own that
 * runs the examples and gets calls. Needs a Chromium, and Python for the example.
 */
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { launchBrowser } from '../../tests/support/browser.ts'
import { createKre, root, type Kre, type Status } from '../../tests/support/kre.ts'

const VIEWPORT = { width: 1280, height: 800 }
/** What a page of documents may take to load, for each picture. */
const BYTES_MAX = 150_000
const CALLS_BEFORE = 300
/** Between two calls, so that the graph shows a rate and no queue. */
const PAUSE_MS = 25
/** Every so many calls say nothing, or something wrong, of what the digit really is. */
const UNLABELLED_EVERY = 25
const MISLABELLED_EVERY = 40
const VERSION = 'runtimes/demo/versions/digits-v1'
const WHAT_FOR = 'Rates card payments. Nothing runs here yet.'
const folder = join(root, 'docs/pictures')

await using kre = await createKre()
const { adminUrl } = await kre.json<{ adminUrl: string }>('dev', '--detach')
await kre.json('version', 'create', '-r', 'demo', join(root, 'examples/branches'))
await kre.json('runtime', 'create', 'payments', '--name', 'Payments', '--description', WHAT_FOR)
const stop = new AbortController()
const call = await createCaller(kre)
for (let calls = 0; calls < CALLS_BEFORE; calls += 1) await call()
const calling = callUntil(stop.signal, call)

const browser = await launchBrowser()
try {
  const page = await (await browser.newContext({ viewport: VIEWPORT })).newPage()
  const { url } = await kre.json<{ url: string }>('login')
  await page.goto(url)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await mkdir(folder, { recursive: true })

  await page.getByRole('heading', { name: 'Payments' }).waitFor()
  await shoot(page, 'runtimes')
  const open = (view: string) => page.goto(`${adminUrl}/ui/${VERSION}/${view}`)
  await open('status')
  await page.locator('.flow-label').nth(2).waitFor()
  await shoot(page, 'graph')
  await open('try-it')
  await fillDigit(page)
  await shoot(page, 'try-it')
  await open('requests')
  await page.locator('tbody a').first().click()
  await page.locator('.waterfall').waitFor()
  await shoot(page, 'request')
  await open('logs')
  await page.locator('.log-line').nth(10).waitFor()
  await shoot(page, 'logs')
  await open('predictions')
  await page.getByRole('combobox', { name: 'Range' }).selectOption('1')
  await page.locator('.confusion').waitFor()
  await shoot(page, 'predictions')
} finally {
  stop.abort()
  await calling
  await browser.close()
}

/** Calls the example with pictures of digits that its model has not learned from, one after the other. */
async function createCaller(of: Kre): Promise<() => Promise<void>> {
  const text = await readFile(join(root, 'examples/digits/held-out.json'), 'utf8')
  const { images, labels } = JSON.parse(text) as { images: string[]; labels: number[] }
  const { addresses } = await of.json<Status>('status')
  const published = addresses.find(({ runtime, version }) => runtime !== null && version === null)
  let calls = 0
  return async () => {
    calls += 1
    const index = calls % images.length
    const label = (labels[index] ?? 0) + (calls % MISLABELLED_EVERY === 0 ? 1 : 0)
    const answer = await fetch(`http://${published?.address}/digits.Entrypoint/ClassifyDigit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        pixels: [...Buffer.from(images[index] ?? '', 'hex')],
        width: 8,
        height: 8,
        white: 16,
        trueLabel: calls % UNLABELLED_EVERY === 0 ? '' : String(label % 10),
      }),
    })
    if (!answer.ok) throw new Error(`the example answers ${answer.status}: ${await answer.text()}`)
  }
}

async function callUntil(signal: AbortSignal, once: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await once()
    await pause(PAUSE_MS)
  }
}

/** Calls the example from the page. */
async function fillDigit(page: Page): Promise<void> {
  const request = page.getByRole('form', { name: 'Request' })
  await request.getByRole('button', { name: 'JSON', exact: true }).click()
  const example = await readFile(join(root, 'examples/digits/request.json'), 'utf8')
  const json = page.getByLabel('digits.DigitImage as JSON')
  await json.fill(inRows(example))
  await json.press('Control+Home')
  await page.getByRole('button', { name: 'Call', exact: true }).click()
  const answer = page.getByRole('region', { name: 'Answer' })
  await answer.getByText('probabilities').waitFor()
  await answer.getByText('Asking the nodes').waitFor({ state: 'detached' })
}

/** A row of the picture in each line: so the digit can be seen. */
function inRows(example: string): string {
  const { pixels, ...rest } = JSON.parse(example) as { pixels: number[]; width: number }
  const rows = Array.from({ length: pixels.length / rest.width }, (_, row) =>
    pixels
      .slice(row * rest.width, (row + 1) * rest.width)
      .map((pixel) => String(pixel).padStart(3))
      .join(','),
  )
  const others = JSON.stringify(rest, null, 2).slice(2)
  return `{\n  "pixels": [\n   ${rows.join(',\n   ')}\n  ],\n${others}`
}

/** @throws Error for a picture that is too large for a page of documents. */
async function shoot(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0)
  for (const theme of ['light', 'dark']) {
    await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`)
    const path = join(folder, `${name}-${theme}.png`)
    await page.screenshot({ path, animations: 'disabled' })
    const { size } = await stat(path)
    if (size > BYTES_MAX) throw new Error(`${path} has ${size} bytes, ${BYTES_MAX} are allowed`)
    process.stdout.write(`${path}: ${Math.round(size / 1000)} kB\n`)
  }
}
