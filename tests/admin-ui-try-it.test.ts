/** Calling a workflow from the admin UI behind a proxy, the same by the code that it shows, and messages that are kept. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { MiB } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Page } from 'playwright-core'
import { findPythonWithProtobuf } from '../engine/bundle/src/testing/python.ts'
import {
  CALLERS_ADDRESS,
  createSteps,
  describeInBrowser,
  look,
  startUi,
  widthOf,
  type UiWorld,
} from './support/admin-ui.ts'
import { shoot } from './support/browser.ts'
import { root } from './support/kre.ts'
import { makeShopBundle } from './support/shop-bundle.ts'

const VERSION = '/ui/runtimes/shop/versions/shop-v1'
const python = findPythonWithProtobuf()
if (python === null) console.warn('the Python code is not run: pip cannot install grpcio')
let ui: UiWorld
let page: Page

describeInBrowser('Try it', () => {
  beforeAll(async () => {
    ui = await startUi({}, { below: '/kre' })
    await ui.kre.json('runtime', 'create', 'shop', '--name', 'Shop')
    const folder = join(ui.kre.dataDir, '..', 'shop')
    await makeShopBundle(folder)
    await mkdir(join(folder, 'models'))
    // Two parts on their way, however it is compressed.
    await writeFile(join(folder, 'models/noise.bin'), randomBytes(6 * MiB))
    await ui.kre.json('krt', 'build', folder, '-o', `${folder}.krt`)
    ;({ page } = await ui.signIn())
  })
  afterAll(async () => {
    await ui?.[Symbol.asyncDispose]()
  })
  const step = createSteps()
  const open = (path: string) => page.goto(`${ui.adminUrl}${path}`)
  const request = () => page.getByRole('form', { name: 'Request' })
  const answer = () => page.getByRole('region', { name: 'Answer' })
  const call = () => page.getByRole('button', { name: 'Call', exact: true }).click()
  const asJson = async (json: string) => {
    await request().getByRole('button', { name: 'JSON', exact: true }).click()
    await page.getByLabel('shop.Order as JSON').fill(json)
  }

  step('takes a bundle in parts, from where the proxy says that callers are', async () => {
    const parts: string[] = []
    page.on('request', (sent) => {
      if (sent.method() === 'PATCH') parts.push(sent.url())
    })
    await page.getByRole('link', { name: 'Shop' }).click()
    await page.getByRole('link', { name: 'Upload version' }).click()
    const file = join(ui.kre.dataDir, '..', 'shop.krt')
    await page.locator('input[type=file]').setInputFiles(file)
    await page.getByRole('heading', { name: 'shop-v1' }).waitFor()
    expect(page.url()).toBe(`${ui.adminUrl}${VERSION}/status`)
    expect(parts).toHaveLength(2)
    expect(parts.filter((url) => !url.startsWith(`${ui.adminUrl}/api/v1/`))).toEqual([])
    const [made] = await ui.kre.json<{ address: string }[]>(
      'audit',
      'list',
      '--type',
      'CREATE_VERSION',
    )
    expect(made?.address).toBe(CALLERS_ADDRESS)
  })

  step('says what to do about a version that does not run', async () => {
    await open(`${VERSION}/try-it`)
    await page.getByRole('heading', { name: 'Not running' }).waitFor()
    await page.getByText('krectl version start -r shop shop-v1', { exact: true }).waitFor()
    await shoot(page, 'try-it-stopped')
    await page.getByText('Live: changes show by themselves').waitFor()
    const event = firstEvent()
    await ui.kre.json('version', 'start', '-r', 'shop', 'shop-v1')
    expect(await event).toContain('"name":"shop-v1"')
  })

  step('writes a request by a form, with what the .proto says of its fields', async () => {
    await page.getByText('Nothing called yet').waitFor()
    await page.getByText('Who asks; an order of nobody fails.').waitFor()
    await page.getByText('What somebody wants. <img src=x onerror=alert(1)>').waitFor()
    const fill = (label: string, text: string) => page.getByLabel(label, { exact: true }).fill(text)
    await fill('customer', 'Ada <b>')
    await fill('table', '7')
    await fill('number', '18446744073709551615')
    await fill('tip', '1.')
    await page.getByLabel('tip', { exact: true }).press('5')
    await page.getByLabel('urgent', { exact: true }).selectOption('true')
    await page.getByLabel('kind', { exact: true }).selectOption('KIND_HOT')
    await page.getByRole('button', { name: 'Add items' }).click()
    await fill('name', 'Soup')
    await page.getByRole('button', { name: 'Add wishes' }).click()
    await fill('wishes 1', 'hot')
    await page.getByRole('button', { name: 'Add stock' }).click()
    await fill('Key', 'soup')
    await fill('Value', '3')
    await page.getByLabel('pay, one of these').selectOption('card')
    await page.getByLabel('card as').selectOption('text')
    await fill('card', 'Grüße')
    await fill('at', '2026-01-31T12:00:00Z')
    await fill('within', '1.5s')
    await page.getByLabel('agreed', { exact: true }).selectOption('false')
    await page.getByRole('button', { name: 'Add extra' }).click()
    await fill('extra', '{"deep": [1, null]}')
    await page.getByRole('button', { name: 'Add before' }).click()
    await request().getByRole('button', { name: 'JSON', exact: true }).click()
    const text = await page.getByLabel('shop.Order as JSON').inputValue()
    expect(JSON.parse(text)).toEqual(ORDER)
  })

  step('shows the answer as it is, and where the time went', async () => {
    await call()
    await answer().getByText('OK', { exact: true }).waitFor()
    const shown = JSON.parse(await answer().locator('pre').first().innerText()) as object
    expect(shown).toMatchObject({ ...WITHOUT_DEFAULTS, before: { customer: '' } })
    expect(await answer().locator('b').count()).toBe(0)
    await answer().getByRole('link', { name: 'Where its time went' }).waitFor()
    await answer().getByText('order.check').waitFor()
    await look(page, 'try-it-answer')
    await request().getByRole('button', { name: 'Form', exact: true }).click()
    await look(page, 'try-it-form')
  })

  step('shows failures with what the entrypoint says of them', async () => {
    await asJson('{"table": 1}')
    await call()
    await answer()
      .getByText(/nobody ordered <b onclick=alert\(1\)>this<\/b>/)
      .waitFor()
    await asJson('{"table": "two"}')
    await call()
    await answer().getByText('INVALID_ARGUMENT').waitFor()
    await answer()
      .getByText(/field "table"/)
      .first()
      .waitFor()
    await shoot(page, 'try-it-failure')
    await asJson('{"table": ')
    await page.getByText(/This is no JSON/).waitFor()
    expect(await page.getByRole('button', { name: 'Call', exact: true }).isDisabled()).toBe(true)
  })

  step('shows a stream message by message, until it is stopped', async () => {
    await page.getByLabel('Rpc').selectOption('Watch')
    expect(page.url()).toBe(`${ui.adminUrl}${VERSION}/try-it/Watch`)
    await asJson('{"customer": "Ada", "table": 3}')
    await call()
    await answer().getByText('OK', { exact: true }).waitFor()
    expect(await answer().getByRole('listitem').filter({ hasText: 'after' }).count()).toBe(3)
    await asJson('{"customer": "Ada", "table": 100000}')
    await call()
    await answer()
      .getByText(/so far/)
      .waitFor()
    await page.getByRole('button', { name: 'Stop', exact: true }).first().waitFor()
    await request().getByRole('button', { name: 'Stop', exact: true }).click()
    await answer().getByText('Stopped by you.').waitFor()
    await shoot(page, 'try-it-stream')
    await waitUntil('its end at the entrypoint', async () => (await cancelled()) === 1)
  })

  step('shows code for the same call that runs', async () => {
    await page.getByLabel('Rpc').selectOption('Order')
    await asJson(JSON.stringify(ORDER))
    await request().getByText('Deadline, metadata').click()
    await page.getByRole('button', { name: 'Add metadata' }).click()
    await page.getByLabel('Name', { exact: true }).fill('x-krt-tenant')
    await page.getByLabel('Value', { exact: true }).fill('t "1"')
    const code = page.getByRole('region', { name: 'The same from elsewhere' })
    const textOf = async (language: string) => {
      await code.getByRole('button', { name: language, exact: true }).click()
      return code.locator('pre').innerText()
    }
    expect(await runKrectl(await textOf('krectl'))).toMatchObject({ customer: 'Ada <b>' })
    const typescript = await textOf('TypeScript')
    await shoot(page, 'try-it-code')
    expect(JSON.parse(await outputOfTypeScript(typescript))).toMatchObject(WITHOUT_DEFAULTS)
    const text = await textOf('Python')
    if (python !== null)
      expect(JSON.parse(await outputOfPython(text))).toMatchObject(WITHOUT_DEFAULTS)
  })

  step('shows code for a stream that runs', async () => {
    await page.getByLabel('Rpc').selectOption('Watch')
    await asJson('{"customer": "Ada", "table": 2}')
    const code = page.getByRole('region', { name: 'The same from elsewhere' })
    const textOf = async (language: string) => {
      await code.getByRole('button', { name: language, exact: true }).click()
      return code.locator('pre').innerText()
    }
    const twice = /"customer": "Ada"[^]*"customer": "Ada"/
    expect(await outputOfTypeScript(await textOf('TypeScript'))).toMatch(twice)
    const text = await textOf('Python')
    if (python !== null) expect(await outputOfPython(text)).toMatch(twice)
  })

  step('draws its traffic as it flows', async () => {
    await open(`${VERSION}/status`)
    await page.locator('.card-started').first().waitFor()
    await waitUntil('a rate on an edge', async () => {
      await callByApi('Order', '{"customer": "Ada"}')
      return (await page.locator('.flow-label').count()) > 0
    })
  })

  step('keeps messages while somebody asks, and shows them decoded', async () => {
    await open(`${VERSION}/requests`)
    await page.locator('tbody tr a').first().click()
    await page.getByText('Messages of this request were not kept.').waitFor()
    await page.getByRole('button', { name: 'Keep samples for 15 minutes' }).click()
    await page.getByText('Samples of messages are kept until').waitFor()
    await shoot(page, 'messages-off')
    const id = await waitUntil('a request with its messages', () =>
      callUntilKept('Order', '{"customer": "Kept"}', ['order.check', 'order.reply']),
    )
    await open(`${VERSION}/requests/${id}`)
    const messages = page.getByRole('region', { name: 'Messages' })
    await messages.getByText('"customer": "Kept"').first().waitFor()
    expect(await messages.getByRole('listitem').count()).toBe(2)
    await look(page, 'messages')
    await messages.getByRole('link', { name: 'Try it with this message' }).click()
    const text = await page.getByLabel('shop.Order as JSON').inputValue()
    expect(JSON.parse(text)).toEqual({ customer: 'Kept' })
    await page.goBack()
    await messages.getByText('"customer": "Kept"').first().waitFor()
    const { stdout } = await ui.kre.run(
      'version',
      'sample',
      '-r',
      'shop',
      'shop-v1',
      'order.check',
      'order.reply',
    )
    expect(stdout).toContain('"customer":"Kept"')
  })

  step('keeps streams that ended well, with their first messages', async () => {
    const id = await waitUntil('a stream with its messages', () =>
      callUntilKept('Watch', '{"customer": "Streamed", "table": 3}', ['entrypoint', 'watch.tell']),
    )
    await open(`${VERSION}/requests?workflow=watch`)
    const row = page.locator('tbody tr', { has: page.locator(`a[href$="${id}"]`) })
    expect(await row.innerText()).toMatch(/OK[^]*an example/)
    await row.getByRole('link').click()
    await page.locator('.waterfall').getByText('watch.tell').waitFor()
    const messages = page.getByRole('region', { name: 'Messages' })
    await messages.getByRole('heading', { name: 'Sent first, of a stream' }).waitFor()
    expect(await messages.getByText('"customer": "Streamed"').count()).toBe(2)
    const kept = await ui.kre.json<{ elapsedMs: number; overheadMs: number }>(
      'version',
      'requests',
      '-r',
      'shop',
      'shop-v1',
      id,
    )
    // Its handler waits three times.
    expect(kept.elapsedMs - kept.overheadMs).toBeGreaterThan(100)
  })

  step('lets a viewer look, and neither call nor read contents', async () => {
    await ui.kre.json('user', 'create', 'vera@kre.io', '--level', 'VIEWER')
    const viewer = await ui.signIn('vera@kre.io')
    await viewer.page.goto(`${ui.adminUrl}${VERSION}/try-it`)
    await viewer.page.getByText('Calling needs the level MANAGER').waitFor()
    expect(await viewer.page.getByRole('button', { name: 'Call', exact: true }).count()).toBe(0)
    await viewer.page.goto(page.url())
    await viewer.page.getByText('Contents are for the level MANAGER').first().waitFor()
    expect(await viewer.page.locator('body').innerText()).not.toContain('"Streamed"')
    await viewer.context.close()
  })

  step('fits a screen of 360 pixels', async () => {
    const kept = page.url()
    await page.setViewportSize({ width: 360, height: 740 })
    for (const [url, name] of [
      [`${ui.adminUrl}${VERSION}/try-it`, 'narrow-try-it'],
      [kept, 'narrow-messages'],
    ] as const) {
      await page.goto(url)
      await page.locator('.panel').first().waitFor()
      await page.locator('.loading').waitFor({ state: 'detached' })
      expect([name, await widthOf(page)]).toEqual([name, 360])
      await shoot(page, name)
    }
  })

  step('caused no complaint of the browser, and asked nobody but the engine', async () => {
    expect(ui.complaints).toEqual([])
  })
})

const WITHOUT_DEFAULTS = {
  customer: 'Ada <b>',
  table: 7,
  number: '18446744073709551615',
  tip: 1.5,
  urgent: true,
  kind: 'KIND_HOT',
  items: [{ name: 'Soup', wishes: ['hot'] }],
  stock: { soup: 3 },
  card: Buffer.from('Grüße').toString('base64'),
  at: '2026-01-31T12:00:00Z',
  within: '1.500s',
  agreed: false,
  extra: { deep: [1, null] },
  before: {},
}
const ORDER = { ...WITHOUT_DEFAULTS, within: '1.5s' }

const run = promisify(execFile)

/** The address that the code has is the version's own. */
async function runKrectl(text: string): Promise<unknown> {
  // As a shell reads it, with krectl as a function.
  const script = `krectl() { "$NODE" --disable-warning=ExperimentalWarning "$MAIN" --data "$DATA" "$@"; }\n${text}`
  const env = {
    ...process.env,
    NODE: process.execPath,
    MAIN: join(root, 'engine/krectl/src/main.ts'),
    DATA: ui.kre.dataDir,
  }
  const { stdout } = await run('sh', ['-c', script], { env })
  return JSON.parse(stdout) as unknown
}

async function outputOfTypeScript(text: string): Promise<string> {
  // Below the checkout, so that its packages are found.
  const folder = join(root, '.kre/snippets')
  await mkdir(folder, { recursive: true })
  const file = join(folder, `call-${process.pid}.mts`)
  await writeFile(file, text)
  return (await run(process.execPath, [file])).stdout
}

async function outputOfPython(text: string): Promise<string> {
  const file = join(ui.kre.dataDir, 'call.py')
  await writeFile(file, text)
  return python?.run([file], { cwd: ui.kre.dataDir }) ?? ''
}

/** Requests whose caller went away. */
async function cancelled(): Promise<number> {
  const of = ['-r', 'shop', 'shop-v1', '--status', 'CANCELLED']
  return (await ui.kre.json<unknown[]>('version', 'requests', ...of)).length
}

/** Nodes hear of it within five seconds, and tell within two. @param edge the nodes at its ends. */
async function callUntilKept(
  rpc: string,
  json: string,
  edge: readonly [from: string, to: string],
): Promise<string | null> {
  const { requestId } = await callByApi(rpc, json)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const words = ['-r', 'shop', 'shop-v1', ...edge]
  const kept = await ui.kre.json<{ requestId: string }[]>('version', 'sample', ...words)
  return kept.some((sample) => sample.requestId === requestId) ? requestId : null
}

async function callByApi(rpc: string, json: string): Promise<{ requestId: string }> {
  const address = `${ui.adminUrl}/api/v1/runtimes/shop/versions/shop-v1/call/${rpc}`
  const text = await page.evaluate<string>(
    `fetch('${address}', { method: 'POST',
      headers: { 'content-type': 'application/json' }, body: '${json}' })
      .then((answer) => answer.text())`,
  )
  return JSON.parse(text.trim().split('\n').at(-1) ?? '{}') as { requestId: string }
}

/** What a page hears first of the version, by server-sent events. */
async function firstEvent(): Promise<string> {
  return page.evaluate<string>(`(async () => {
    const answer = await fetch('${ui.adminUrl}/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { watchVersion { name status } }' }),
    })
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while (!text.includes('shop-v1')) {
      const { done, value } = await reader.read()
      if (done) break
      text += value
    }
    await reader.cancel()
    return text
  })()`)
}
