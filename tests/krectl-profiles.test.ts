/** krectl and engines elsewhere: profiles, https with an authority of one's own, uploads that go on. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { MiB } from '@kre/contracts'
import {
  BOOTSTRAP_TOKEN,
  startTestApi,
  type TestApi,
} from '../engine/admin-api/src/testing/start-test-api.ts'
import { krectl as runKrectl } from '../engine/krectl/src/testing/krectl.ts'
import { root } from './support/kre.ts'

const run = promisify(execFile)
const main = join(root, 'engine/krectl/src/main.ts')
let api: TestApi
let home = ''
let proxy: Awaited<ReturnType<typeof startTlsProxy>>

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'krectl-remote-'))
  api = await startTestApi()
  await api.createRuntime('demo')
  await makeCertificates(home)
  proxy = await startTlsProxy(home, () => api.url)
  await writeFile(join(home, 'token'), `${BOOTSTRAP_TOKEN}\n`)
})
afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

/** In a process of its own, as its authorities count for a process. */
async function asProcess(
  words: readonly string[],
  environment: Record<string, string> = {},
  stdin = '',
) {
  const child = execFile(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, ...words],
    {
      cwd: home,
      env: { PATH: process.env['PATH'], HOME: home, ...environment },
    },
  )
  child.stdin?.end(stdin)
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk: string) => (stdout += chunk))
  child.stderr?.on('data', (chunk: string) => (stderr += chunk))
  const [code] = (await once(child, 'close')) as [number]
  return { code, stdout, stderr }
}

/** Where no authorities are named: quicker. */
function krectl(words: readonly string[], environment: Record<string, string> = {}, stdin = '') {
  // No engine of this checkout is ever meant.
  const surroundings = { HOME: home, KRE_DATA: '', ...environment }
  return runKrectl(words, { cwd: home, environment: surroundings, stdin })
}

describe('an engine elsewhere', () => {
  test('is asked over https, with an authority of one’s own', async () => {
    const remote = ['--url', proxy.url, '--token-file', 'token', '--ca', 'ca.pem']
    expect(await asProcess(['runtime', 'list', ...remote])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('demo'),
    })
    const withToken = ['runtime', 'list', '--url', proxy.url, '--ca', 'ca.pem']
    expect(await asProcess(withToken, { KRE_TOKEN: BOOTSTRAP_TOKEN })).toMatchObject({ code: 0 })
  })

  test('is refused where its certificate is signed by others', async () => {
    expect(
      await asProcess(['runtime', 'list', '--url', proxy.url, '--token-file', 'token']),
    ).toMatchObject({ code: 69, stderr: expect.stringMatching(/not trusted.*--ca/) })
    expect(
      await asProcess([
        'runtime',
        'list',
        '--url',
        proxy.url,
        '--token-file',
        'token',
        '--ca',
        'other.pem',
      ]),
    ).toMatchObject({ code: 69, stderr: expect.stringContaining('not trusted') })
    expect(
      await asProcess([
        'runtime',
        'list',
        '--url',
        proxy.url,
        '--token-file',
        'token',
        '--ca',
        'token',
      ]),
    ).toMatchObject({ code: 1, stderr: expect.stringContaining('PEM') })
  })

  test.each([
    [['--url', 'http://kre.example', '--token-file', 'token'], 2, 'use https'],
    [['--url', 'https://kre.example'], 2, '--url needs a token'],
    [['--url', 'https://kre.example', '--token-file', 'nowhere'], 1, "nowhere can't be read"],
    [['--url', 'https://kre.example', '--profile', 'x'], 2, '--profile and --url'],
    [['--profile', 'nowhere'], 1, 'there is no profile "nowhere"'],
    [['--token-file', 'token'], 2, 'go with --url'],
  ])('%j is refused before anything is sent', async (options, code, reason) => {
    const outcome = await krectl(['runtime', 'list', ...options])
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(reason) })
  })

  test('gets its token nowhere else: redirections are not followed', async () => {
    const seen: unknown[] = []
    const thief = createHttpServer((req, res) => {
      seen.push(req.headers.authorization)
      res.end('{}')
    }).listen(0, '127.0.0.1')
    await once(thief, 'listening')
    const target = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/graphql`
    const honest = createHttpServer((req, res) => {
      req.resume()
      res.writeHead(307, { location: target }).end()
    }).listen(0, '127.0.0.1')
    await once(honest, 'listening')
    try {
      const url = `http://127.0.0.1:${(honest.address() as AddressInfo).port}`
      const outcome = await krectl(['runtime', 'list', '--url', url, '--token-file', 'token'])
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining(target) })
      expect(seen).toEqual([])
    } finally {
      thief.close()
      honest.close()
    }
  })
})

describe('a profile', () => {
  test('is added with a token from standard input, used, shown without it, and forgotten', async () => {
    const added = await krectl(['profile', 'add', 'prod', api.url], {}, `${BOOTSTRAP_TOKEN}\n`)
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('dev@local.local') })
    const file = join(home, '.config/kre/profiles/prod.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await krectl(['runtime', 'list', '--profile', 'prod'])).toMatchObject({ code: 0 })
    expect(await krectl(['runtime', 'list'], { KRE_PROFILE: 'prod' })).toMatchObject({ code: 0 })
    await krectl(['profile', 'use', 'prod'])
    expect(await krectl(['runtime', 'list'])).toMatchObject({ code: 0 })
    expect(await krectl(['runtime', 'list'], { KRE_DATA: home })).toMatchObject({ code: 69 })
    expect(
      await krectl(['runtime', 'list', '--profile', 'local'], { KRE_DATA: home }),
    ).toMatchObject({ code: 69 })
    for (const words of [['list'], ['show'], ['show', 'prod', '--json'], ['list', '--json']]) {
      const { code, stdout, stderr } = await krectl(['profile', ...words])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toContain('prod')
      expect(stdout).not.toContain(BOOTSTRAP_TOKEN)
    }
    expect(await krectl(['stop'], { KRE_PROFILE: 'prod' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('this computer alone'),
    })
    await krectl(['profile', 'remove', 'prod'])
    expect(await readdir(join(home, '.config/kre/profiles'))).toEqual([])
    expect((await krectl(['profile', 'show'])).stdout).toContain(
      'local: the engine of this computer',
    )
  })

  test('whose token is wrong is not kept', async () => {
    const wrong = await krectl(['profile', 'add', 'bad', api.url], {}, 'krt_000000000000_nonsense')
    expect(wrong.code).toBe(1)
    expect((await krectl(['profile', 'show', 'bad'])).code).toBe(1)
    expect(wrong.stderr).not.toContain('nonsense')
  })

  test('takes uploads, which go on after a cut', async () => {
    await asProcess([
      'profile',
      'add',
      'prod',
      proxy.url,
      '--ca',
      'ca.pem',
      '--token-file',
      'token',
      '--replace',
      '--use',
    ])
    const bundle = { version: 'large', contents: randomBytes(3 * MiB).toString('hex') }
    await writeFile(join(home, 'large.krt'), JSON.stringify(bundle))
    proxy.cutAfter(2 * MiB)
    const { code, stdout, stderr } = await asProcess([
      'version',
      'create',
      '-r',
      'demo',
      'large.krt',
      '--json',
    ])
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('trying again'),
    })
    expect(JSON.parse(stdout)).toMatchObject({ version: { name: 'large' } })
    expect((await readFile(join(home, 'large.krt'))).length).toBeGreaterThan(6 * MiB)
  })
})

async function makeCertificates(folder: string): Promise<void> {
  const openssl = (line: string) => run('openssl', line.split(' '), { cwd: folder })
  const newKey = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout'
  for (const name of ['ca', 'other'])
    await openssl(`req -x509 ${newKey} ${name}.key -out ${name}.pem -days 2 -subj /CN=${name}`)
  await openssl(`req ${newKey} server.key -out server.csr -subj /CN=localhost`)
  await writeFile(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const signed = 'x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial'
  await openssl(`${signed} -out server.pem -days 2 -extfile names`)
}

/** Speaks TLS in front of the API, and can cut a connection after some bytes of a body. */
async function startTlsProxy(folder: string, target: () => string) {
  let bytesLeft = Infinity
  const [key, cert] = await Promise.all(
    ['server.key', 'server.pem'].map((name) => readFile(join(folder, name))),
  )
  const server = createServer({ key, cert }, (req, res) => {
    const { method, headers } = req
    const inner = request(new URL(req.url ?? '/', target()), { method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    inner.on('error', () => res.destroy())
    req.on('data', (chunk: Buffer) => {
      bytesLeft -= chunk.length
      if (bytesLeft > 0) return
      bytesLeft = Infinity
      inner.destroy()
      req.socket.destroy()
    })
    req.pipe(inner)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    cutAfter: (bytes: number) => (bytesLeft = bytes),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
