import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { cacheDir } from '../context.ts'
import { createOutput } from '../output/output.ts'
import { fetchModels } from './fetch-models.ts'

const MODEL = Buffer.from('weights of a model')
const SHA256 = createHash('sha256').update(MODEL).digest('hex')
const SPEC = '@acme/models@1.2.3'

let work: string
let registry: Server
let downloads = 0
let bundle: string
let root: string

/** A registry with one package, for the real npm. */
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'fetch-models-'))
  const source = join(work, 'package')
  await mkdir(join(source, 'assets'), { recursive: true })
  await writeFile(join(source, 'assets', 'det.onnx'), MODEL)
  const manifest = {
    name: '@acme/models',
    version: '1.2.3',
    scripts: { install: `touch ${join(work, 'script-ran')}` },
  }
  await writeFile(join(source, 'package.json'), JSON.stringify(manifest))
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent'], { cwd: source })
  const tarball = await readFile(join(source, 'acme-models-1.2.3.tgz'))
  registry = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    if (path.endsWith('.tgz')) {
      downloads++
      response.end(tarball)
    } else if (path === '/@acme/models') {
      const dist = { tarball: `${registryUrl()}/models.tgz`, integrity: integrityOf(tarball) }
      response.end(
        JSON.stringify({ name: manifest.name, versions: { '1.2.3': { ...manifest, dist } } }),
      )
    } else response.writeHead(404).end('{}')
  })
  await new Promise<void>((done) => registry.listen(0, '127.0.0.1', done))
})

afterAll(async () => {
  registry.close()
  registry.closeAllConnections()
  await rm(work, { recursive: true, force: true })
})

beforeEach(async () => {
  root = await mkdtemp(join(work, 'root-'))
  bundle = join(root, 'bundle')
  await mkdir(bundle)
  downloads = 0
})

const registryUrl = () => `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
const integrityOf = (bytes: Buffer) =>
  `sha512-${createHash('sha512').update(bytes).digest('base64')}`

const wants = (changes: object = {}, target = 'models/det.onnx') =>
  writeFile(
    join(bundle, 'models.json'),
    JSON.stringify({
      [target]: { npm: SPEC, path: 'assets/det.onnx', sha256: SHA256, ...changes },
    }),
  )
const fetched = () => readFile(join(bundle, 'models', 'det.onnx'))

/** @returns what it told the user. */
async function fetch({ signal = new AbortController().signal } = {}): Promise<string> {
  const said = new PassThrough()
  const environment = {
    ...process.env,
    npm_config_registry: registryUrl(),
    npm_config_cache: join(root, 'npm-cache'),
    npm_config_fetch_retries: '0',
  }
  await fetchModels(bundle, { root, environment, signal, output: createOutput(said, said) })
  return String(said.read() ?? '')
}

describe('fetchModels', () => {
  test('does nothing for a folder without models.json', async () => {
    expect(await fetch()).toBe('')
    expect(await readdir(bundle)).toEqual([])
  })

  test('brings a file of a package, says so, and leaves nothing else', async () => {
    await wants()
    expect(await fetch()).toBe(`  getting models/det.onnx from ${SPEC}\n`)
    expect(await fetched()).toEqual(MODEL)
    expect(await readdir(join(bundle, 'models'))).toEqual(['det.onnx'])
    expect(await readdir(join(cacheDir({ root }), 'models'))).toEqual(['@acme+models@1.2.3'])
  })

  test('never runs scripts of the package', async () => {
    await wants()
    await fetch()
    expect(await readdir(work)).not.toContain('script-ran')
  })

  test('leaves a file alone that is right, and repairs a damaged one from the cache', async () => {
    await wants()
    await fetch()
    expect(await fetch()).toBe('')
    await writeFile(join(bundle, 'models', 'det.onnx'), 'damaged')
    await fetch()
    expect(await fetched()).toEqual(MODEL)
    expect(downloads).toBe(1)
  })

  test('serves several builds at the same time', async () => {
    await wants()
    await Promise.all([fetch(), fetch(), fetch()])
    expect(await fetched()).toEqual(MODEL)
    expect(await readdir(join(cacheDir({ root }), 'models'))).toEqual(['@acme+models@1.2.3'])
  })

  test('refuses other bytes than the list wants and does not touch the file', async () => {
    await wants({ sha256: '0'.repeat(64) })
    await mkdir(join(bundle, 'models'))
    await writeFile(join(bundle, 'models', 'det.onnx'), 'mine')
    await expect(fetch()).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining(`holds assets/det.onnx with sha256 ${SHA256}`),
    })
    expect(String(await fetched())).toBe('mine')
  })

  test('names a path that the package does not have', async () => {
    await wants({ path: 'assets/rec.onnx' })
    await expect(fetch()).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining(`${SPEC} has no file assets/rec.onnx`),
    })
  })

  test.each([
    ['an unknown package', '@acme/nothing@1.0.0', /@acme\/nothing@1\.0\.0 can't be fetched: .*404/],
    ['an unknown version', '@acme/models@9.9.9', /ETARGET.*No matching version/],
  ])('says why npm can not fetch %s, and caches nothing', async (_, npm, reason) => {
    await wants({ npm })
    await expect(fetch()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(reason),
    })
    expect(await readdir(join(cacheDir({ root }), 'models'))).toEqual([])
  })

  test.each(['../det.onnx', '/tmp/det.onnx', 'models/../../det.onnx', '.', 'models/', 'a\\b', ''])(
    'refuses "%s" as a file of the folder or of the package',
    async (path) => {
      await wants({}, path)
      await expect(fetch()).rejects.toMatchObject({ code: 'invalid-argument' })
      await wants({ path })
      await expect(fetch()).rejects.toMatchObject({ code: 'invalid-argument' })
    },
  )

  test.each(['acme', 'acme@latest', 'acme@^1.0.0', '--global@1.0.0', '../acme@1.0.0', 'a@b@1.0.0'])(
    'refuses "%s": only a package of an exact version gives the same bytes for ever',
    async (npm) => {
      await wants({ npm })
      await expect(fetch()).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining('models/det.onnx: npm: must be package@exact.version'),
      })
    },
  )

  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['an unknown key', JSON.stringify({ a: { npm: SPEC, path: 'a', sha256: SHA256, sha1: '' } })],
  ])('refuses %s as models.json', async (_, text) => {
    await writeFile(join(bundle, 'models.json'), text)
    await expect(fetch()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining(join(bundle, 'models.json')),
    })
  })

  test('ends when it is cancelled', async () => {
    await wants()
    await expect(fetch({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})
