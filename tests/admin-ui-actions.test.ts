/** Changing what callers get, in the admin UI: comparing, publishing, taking back, and who may; by mouse and by keys. */
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import type { BrowserContext, Page } from 'playwright-core'
import {
  confirm,
  createSteps,
  describeInBrowser,
  look,
  signInAgain,
  startUi,
  widthOf,
  type UiWorld,
} from './support/admin-ui.ts'
import { shoot } from './support/browser.ts'

const VERSIONS = '/ui/runtimes/shop/versions'
let ui: UiWorld
let context: BrowserContext
let page: Page

describeInBrowser('actions in the admin UI', () => {
  beforeAll(async () => {
    ui = await startUi()
    await ui.kre.json('runtime', 'create', 'shop', '--name', 'Shop')
    await makeVersions()
    ;({ context, page } = await ui.signIn())
  })
  afterAll(async () => {
    await ui?.[Symbol.asyncDispose]()
  })
  const step = createSteps()
  const open = (path: string) => page.goto(`${ui.adminUrl}${path}`)
  const publishedNow = (name: string) =>
    page.locator('tr.is-published', { hasText: name }).getByText('Published').waitFor()

  step('publishes, and offers the way back until somebody takes or closes it', async () => {
    await open(VERSIONS)
    await publish(page, 'v1', 'the first')
    await publishedNow('v1')
    await publish(page, 'v2', 'better')
    await publishedNow('v2')
    await shoot(page, 'undo')
    await page.locator('.toast', { hasText: 'v2 is published.' }).getByText('Undo').click()
    await page.getByText('Taken back: v1 is published.').waitFor()
    await publishedNow('v1')
    expect(await page.getByRole('button', { name: 'Undo' }).count()).toBe(0)
    await publish(page, 'v2', 'after all')
    await publishedNow('v2')
  })

  step('rolls back in one step, which says what will happen', async () => {
    await page.getByRole('button', { name: 'Roll back to v1' }).click()
    await page.getByText(/reach v1 again, instead of v2/).waitFor()
    await page.getByText('krectl version rollback -r shop', { exact: true }).waitFor()
    await shoot(page, 'roll-back')
    await confirm(page, 'Roll back', 'v2 is wrong')
    await publishedNow('v1')
    await page.getByRole('button', { name: 'Roll back to v2' }).waitFor()
  })

  step('compares two versions that are chosen in the list', async () => {
    await page.getByRole('checkbox', { name: 'Compare v3' }).check()
    await page.getByText('Choose another version to compare v3 with.').waitFor()
    await page.getByRole('checkbox', { name: 'Compare v1' }).check()
    await shoot(page, 'versions-chosen')
    await page.getByRole('link', { name: 'Compare v1 with v3' }).click()
    await page.getByRole('heading', { name: 'Compare versions' }).waitFor()
    const row = page.getByRole('row', { name: /Node .*\.greet/ })
    await row.getByText('replicas').waitFor()
    await page.getByRole('row', { name: /Configuration LIMIT/ }).waitFor()
    await page.locator('.diff ins', { hasText: 'replicas: 2' }).waitFor()
    await page.getByRole('button', { name: 'Swap' }).click()
    await page.locator('.diff del', { hasText: 'replicas: 2' }).waitFor()
    expect(new URL(page.url()).search).toBe('?from=v3&to=v1')
    const { stdout } = await ui.kre.run('version', 'diff', '-r', 'shop', 'v1', 'v3')
    expect(stdout).toContain('+        replicas: 2')
  })

  step('lets one of two people publish, and asks the other again', async () => {
    await open(VERSIONS)
    const other = await ui.signIn()
    await other.page.goto(`${ui.adminUrl}${VERSIONS}`)
    await ask(page, 'v2')
    await page.getByText(/reach it instead of v1 from then on/).waitFor()
    await publish(other.page, 'v3', 'mine')
    await other.context.close()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Why').fill('mine, too')
    await dialog.getByRole('button', { name: 'Publish', exact: true }).click()
    await dialog.getByText('version "v3" is published by now, where "v1" was expected').waitFor()
    await dialog.getByText(/reach it instead of v3 from then on/).waitFor()
    await look(page, 'overtaken')
    expect(await dialog.getByLabel('Why').inputValue()).toBe('mine, too')
    await dialog.getByRole('button', { name: 'Publish', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    await publishedNow('v2')
  })

  step('does nothing with a login that has ended, and goes on after a new one', async () => {
    await ask(page, 'v1')
    const dialog = page.getByRole('dialog', { name: /Publish v1/ })
    await dialog.getByLabel('Why').fill('typed before')
    await context.clearCookies()
    // A reading of the page may find out before the click, and ask to sign in over it.
    await dialog.getByRole('button', { name: 'Publish', exact: true }).dispatchEvent('click')
    await page.getByRole('heading', { name: 'Your login has ended' }).waitFor()
    await signInAgain(ui.kre, page)
    expect(await dialog.getByLabel('Why').inputValue()).toBe('typed before')
    await dialog.getByRole('button', { name: 'Publish', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    await publishedNow('v1')
  })

  step('gives somebody a level on one runtime, and takes it away', async () => {
    await ui.kre.json('user', 'create', 'ada@kre.io', '--grant', 'shop=viewer')
    await ui.kre.json('user', 'create', 'bob@kre.io', '--level', 'VIEWER')
    await open('/ui/runtimes/shop/access')
    await page
      .getByRole('row', { name: /ada@kre.io/ })
      .getByText('look', { exact: true })
      .waitFor()
    await page.getByRole('button', { name: 'Give access' }).click()
    await page.getByRole('dialog').getByLabel('User', { exact: true }).selectOption('bob@kre.io')
    await page.getByRole('dialog').getByLabel('On this runtime').selectOption('MANAGER')
    await shoot(page, 'give-access')
    await confirm(page, 'Give access', 'he helps')
    await page
      .getByRole('row', { name: /bob@kre.io/ })
      .getByText('look and change')
      .waitFor()
    await page
      .getByRole('row', { name: /ada@kre.io/ })
      .getByText('Change')
      .click()
    await page.getByRole('dialog').getByLabel('On this runtime').selectOption('')
    await confirm(page, 'Save', 'she left')
    await page.getByRole('row', { name: /ada@kre.io/ }).waitFor({ state: 'detached' })
    await open('/ui/users')
    await page
      .getByRole('row', { name: /bob@kre.io/ })
      .getByText('shop: Manager')
      .waitFor()
    await page
      .getByRole('row', { name: /ada@kre.io/ })
      .getByText('Runtimes')
      .click()
    await page.getByRole('dialog').getByLabel(/Shop/).selectOption('VIEWER')
    await look(page, 'grants')
    // Somebody else is faster.
    await ui.kre.json('user', 'grant', 'ada@kre.io', 'shop=manager')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Why').fill('she is back')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText(/shop=MANAGER by now.*somebody was faster/).waitFor()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page
      .getByRole('row', { name: /ada@kre.io/ })
      .getByText('shop: Viewer')
      .waitFor()
  })

  step('sorts a table, and keeps that in the address', async () => {
    const mails = () => page.locator('tbody th').allInnerTexts()
    await page.getByRole('button', { name: 'E-mail address' }).click()
    expect(await mails()).toEqual(['ada@kre.io', 'bob@kre.io', 'dev@local.local'])
    await page.getByRole('button', { name: 'E-mail address' }).click()
    expect(await mails()).toEqual(['dev@local.local', 'bob@kre.io', 'ada@kre.io'])
    expect(new URL(page.url()).search).toBe('?sort=-user')
    const head = page.getByRole('columnheader', { name: 'E-mail address' })
    expect(await head.getAttribute('aria-sort')).toBe('descending')
  })

  step('shows an administrator somebody’s logins and API tokens, and ends them', async () => {
    await ui.kre.json('token', 'create', 'ci')
    await page.getByRole('link', { name: 'dev@local.local' }).last().click()
    await page.getByRole('row', { name: /ci/ }).waitFor()
    await page.getByRole('row', { name: /ci/ }).getByText('Delete').click()
    await page.getByText('No API token.').waitFor()
  })

  step('shows what was done to one version, also when it is gone', async () => {
    await makeVersion('v4')
    await ui.kre.json('version', 'delete', '-r', 'shop', 'v4', '--comment', 'no use', '--yes')
    const uploads = page.getByRole('row', { name: /Uploaded a version/ })
    await open('/ui/audit')
    await page.getByLabel('Runtime', { exact: true }).selectOption('shop')
    await page.getByLabel('Version', { exact: true }).selectOption({ label: 'v2' })
    await page.getByRole('button', { name: 'Show', exact: true }).click()
    await page.getByText('krectl audit list -r shop --version v2', { exact: true }).waitFor()
    await waitUntil('one upload', async () => (await uploads.count()) === 1)
    await uploads.getByRole('link', { name: 'v2' }).waitFor()
    const byName = await audited('v2')
    expect(new Set(byName.map(nameIn))).toEqual(new Set(['v2']))
    await open('/ui/audit?runtime=shop&type=DELETE_VERSION')
    await page
      .getByRole('row', { name: /no use/ })
      .getByRole('link', { name: 'v4' })
      .click()
    await uploads.getByRole('link', { name: 'v4' }).waitFor()
    const chosen = page.getByLabel('Version', { exact: true }).locator('option:checked')
    expect(await chosen.innerText()).toMatch(/^[0-9a-f]{8}… \(deleted\)$/)
    const id = new URL(page.url()).searchParams.get('version') ?? ''
    const byId = await audited(id)
    expect(byId.map(({ type }) => type)).toEqual(['DELETE_VERSION', 'CREATE_VERSION'])
    const { code, stderr } = await ui.kre.run('audit', 'list', '-r', 'shop', '--version', 'v4')
    expect([code, stderr]).toEqual([1, expect.stringContaining('has no version "v4"')])
  })

  step('goes everywhere by the palette', async () => {
    await open(`${VERSIONS}/v1/status`)
    await page.locator('.page-head .chip-published').waitFor()
    await page.keyboard.press('Control+k')
    const field = page.getByRole('combobox', { name: 'Go to or do' })
    await field.waitFor()
    await page.getByRole('option', { name: 'Unpublish v1' }).waitFor()
    await look(page, 'palette')
    await field.fill('v1 lo')
    await page.getByRole('option', { name: 'v1: Logs', selected: true }).waitFor()
    await page.keyboard.press('Enter')
    await page.locator('.tabs [aria-current=page]', { hasText: 'Logs' }).waitFor()
    await page.keyboard.press('Control+k')
    await field.fill('unpub')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Unpublish v1?' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('Control+k')
    await field.fill('nothing fits this')
    await page.getByText('Nothing fits.').waitFor()
    await page.keyboard.press('Escape')
    await field.waitFor({ state: 'detached' })
  })

  step('goes by keys, never while somebody types, and not where they are turned off', async () => {
    await page.keyboard.press('g')
    await page.keyboard.press('v')
    await page.getByRole('heading', { name: 'Shop' }).waitFor()
    await ask(page, 'v3')
    await page.getByRole('dialog').getByLabel('Why').pressSequentially('g r?')
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Shop' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
    await shoot(page, 'shortcuts')
    await page.getByRole('checkbox', { name: /Keys without Ctrl/ }).uncheck()
    await page.getByRole('button', { name: 'Close', exact: true }).last().click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('g')
    await page.keyboard.press('r')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Go to or do' }).waitFor()
    await page.keyboard.press('Escape')
    expect(new URL(page.url()).pathname).toBe(VERSIONS)
  })

  step('fits a screen of 360 pixels, where wide tables scroll by the keyboard, too', async () => {
    await page.setViewportSize({ width: 360, height: 740 })
    for (const path of [
      VERSIONS,
      '/ui/runtimes/shop/compare?from=v1&to=v3',
      '/ui/runtimes/shop/access',
      '/ui/users',
    ]) {
      await open(path)
      await page.locator('tbody tr').first().waitFor()
      expect([path, await widthOf(page)]).toEqual([path, 360])
    }
    const region = page.getByRole('region', { name: 'Users' })
    await region.focus()
    await page.keyboard.press('ArrowRight')
    await waitUntil('the table has moved', () =>
      page.evaluate<boolean>("document.querySelector('.is-wide').scrollLeft > 0"),
    )
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Go to or do' }).waitFor()
    await shoot(page, 'narrow-palette')
    await page.keyboard.press('Escape')
    await page.setViewportSize({ width: 1360, height: 860 })
  })

  step('caused no complaint of the browser but of what was refused', async () => {
    // The login that ended was told by a 401, and Chromium says so.
    expect(ui.complaints.filter((text) => !/ 401 /.test(text))).toEqual([])
  })
})

/** Opens the question of publishing a version from the list. */
async function ask(on: Page, version: string): Promise<void> {
  const row = on.getByRole('row').filter({ has: on.getByRole('link', { name: version }) })
  await row.getByRole('button', { name: 'Publish', exact: true }).click()
}

async function publish(on: Page, version: string, comment: string): Promise<void> {
  await ask(on, version)
  await confirm(on, 'Publish', comment)
}

/** Three versions that run; the third has another replica and a key more. */
async function makeVersions(): Promise<void> {
  await ui.kre.json('krt', 'init', templateFolder(), '--template', 'typescript')
  const names = ['v1', 'v2', 'v3']
  for (const version of names) await makeVersion(version)
  await Promise.all(names.map((name) => ui.kre.json('version', 'start', '-r', 'shop', name)))
}

async function makeVersion(version: string): Promise<void> {
  const own = join(ui.kre.dataDir, '..', version)
  await cp(templateFolder(), own, { recursive: true })
  const manifest = await readFile(join(own, 'kre.yaml'), 'utf8')
  const named = manifest.replace(/^version:.*/m, `version: ${version}`)
  const changed = named
    .replace(
      'workflows:',
      'config:\n  variables: [LIMIT]\n  defaults: { LIMIT: "1" }\n\nworkflows:',
    )
    .replace(/^( *)(src: src\/greet\.ts)/m, '$1$2\n$1replicas: 2')
  await writeFile(join(own, 'kre.yaml'), version === 'v3' ? changed : named)
  await ui.kre.json('version', 'create', '-r', 'shop', own)
}

function templateFolder(): string {
  return join(ui.kre.dataDir, '..', 'first')
}

type Audited = { type: string; vars: { key: string; value: string }[] }

/** @param version its name, or its id. */
async function audited(version: string): Promise<Audited[]> {
  return ui.kre.json<Audited[]>('audit', 'list', '-r', 'shop', '--version', version, '--all')
}

function nameIn({ vars }: Audited): string {
  return vars.find(({ key }) => key === 'VERSION_NAME')?.value ?? ''
}
