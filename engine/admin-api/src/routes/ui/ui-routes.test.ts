import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../../testing/start-test-api.ts'

const PAGE =
  '<meta name="kre-sign-in" content="" /><link href="./assets/a-1.css"><script src="./assets/a-1.js"></script>'
const SCRIPT = 'console.info("a")'
let api: TestApi
let uiDir: string

beforeAll(async () => {
  uiDir = await mkdtemp(join(tmpdir(), 'kre-ui-'))
  await mkdir(join(uiDir, 'assets'))
  await writeFile(join(uiDir, 'index.html'), PAGE)
  await writeFile(join(uiDir, 'stamp'), 'secret')
  await writeFile(join(uiDir, 'assets/a-1.js'), SCRIPT)
  await writeFile(join(uiDir, 'assets/a-1.js.br'), brotliCompressSync(SCRIPT))
  await writeFile(join(uiDir, 'assets/.hidden.js'), 'hidden')
  await writeFile(join(uiDir, 'icon.svg'), '<svg/>')
  api = await startTestApi({ uiDir })
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await rm(uiDir, { recursive: true, force: true })
})

describe('the admin UI', () => {
  test.each([
    ['/ui/', './assets/a-1.js'],
    ['/ui/users', './assets/a-1.js'],
    ['/ui/runtimes/demo', '../assets/a-1.js'],
    ['/ui/runtimes/demo/versions/v1/status', '../../../../assets/a-1.js'],
  ])('answers %s with its page, whose files are at %s', async (path, script) => {
    const { status, text, headers } = await api.send(path)
    expect(status).toBe(200)
    expect(text).toContain(`src="${script}"`)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['cache-control']).toBe('no-cache')
    const resolved = new URL(script, new URL(path, api.url)).pathname
    expect((await api.send(resolved)).text).toBe(SCRIPT)
  })

  test('allows no inline script, no style and nothing from elsewhere', async () => {
    const { headers } = await api.send('/ui/')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).not.toMatch(/unsafe|\*/)
  })

  test('says which ways to sign in there are', async () => {
    expect((await api.send('/ui/')).text).toContain('name="kre-sign-in" content=""')
    await using other = await startTestApi({
      uiDir,
      oidc: {
        issuer: 'https://id.example',
        clientId: 'kre',
      } as never,
    })
    expect((await other.send('/ui/')).text).toContain('name="kre-sign-in" content="oidc"')
  })

  test('keeps its files in caches for ever, compressed where the client takes it', async () => {
    const plain = await api.send('/ui/assets/a-1.js')
    expect(plain.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'Accept-Encoding',
    })
    expect(plain.headers['content-encoding']).toBeUndefined()
    const raw = await fetch(new URL('/ui/assets/a-1.js', api.url), {
      headers: { 'accept-encoding': 'gzip, br' },
    })
    expect(raw.headers.get('content-encoding')).toBe('br')
    expect(await raw.text()).toBe(SCRIPT)
    const refused = await api.send('/ui/assets/a-1.js', {
      headers: { 'accept-encoding': 'br;q=0' },
    })
    expect(refused.text).toBe(SCRIPT)
  })

  test.each([
    '/ui/assets/none.js',
    '/ui/assets/..%2fstamp',
    '/ui/assets/../stamp',
    '/ui/assets/%2e%2e/stamp',
    '/ui/assets/.hidden.js',
    '/ui/assets/',
    '/ui/assets/a-1.js.br',
    '/ui/assets/a-1.js%00',
  ])('hands out nothing else of its folder: %s', async (path) => {
    const { text } = await api.send(path)
    expect(text).not.toContain('secret')
    expect(text).not.toContain('hidden')
    expect(text).not.toBe(SCRIPT)
  })

  test('is where a browser that opens the front page gets to, signed in or not', async () => {
    const visit = { headers: { accept: 'text/html,application/xhtml+xml' } }
    expect(await api.send('/', visit)).toMatchObject({ status: 303, headers: { location: 'ui/' } })
    expect(await api.send('/ui')).toMatchObject({ status: 303, headers: { location: 'ui/' } })
    expect((await api.send('/')).status).toBe(401)
  })

  test('says that it is not built, where it is not', async () => {
    await using bare = await startTestApi({ uiDir: join(uiDir, 'nowhere') })
    const { status, text } = await bare.send('/ui/')
    expect(status).toBe(503)
    expect(text).toContain('krectl dev')
    await using none = await startTestApi()
    expect((await none.send('/ui/x')).status).toBe(503)
  })

  test('is for our own names alone', async () => {
    expect((await api.send('/ui/', { headers: { host: 'evil.example' } })).status).toBe(421)
  })
})
