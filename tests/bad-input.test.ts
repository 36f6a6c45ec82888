/** What a user can do wrong, against a whole engine: each mistake is named, nothing is left of it, the next good step works. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { MiB, type KrtIssue } from '@kre/contracts'
import { readEngineRecord, waitUntil } from '@kre/service-kit'
import { chainFiles, packChain, packFiles, THREE, writeFiles } from './support/ledger-bundle.ts'
import { startTestEngine, type Operation, type TestEngine } from './support/ledger-engine.ts'
import { belongings } from './support/ledger-leftovers.ts'
import { connectRaw, encodeTicket } from './support/ledger.ts'

const RUNTIME = 'bad-input'
const krectl = resolve(import.meta.dirname, '../engine/krectl/src/main.ts')
type UploadProblem = { code: string; message: string; issues?: KrtIssue[] }

/** Twenty-odd mistakes; the line of each expected issue is in `MISTAKES`. */
const MISTAKEN = `krtVersion: v2
version: Broken Version!
description: ''
entrypoint: { proto: missing.proto, image: konstellation/kre-entrypoint:8.2 }
config:
  variables: [KEY, KEY, 'bad key']
workflows:
  - name: run
    entrypoint: Nope
    exitpoint: nowhere
    nodes:
      - { name: a, image: konstellation/kre-ts:1.0, src: src/none.ts, subscriptions: [ghost] }
      - { name: a, image: konstellation/kre-ts:1.0, src: src/a.js, subscriptions: [entrypoint] }
      - { name: b, image: unknown/image:1, src: ../up.ts, subscriptions: [] }
      - { name: c, src: src/a.js, subscriptions: [c] }
      - { name: d, image: konstellation/kre-ts:1.0, subscriptions: [entrypoint, entrypoint] }
      - { name: e, image: konstellation/kre-ts:1.0, src: src/a.js, subscriptions: [f] }
      - { name: f, image: konstellation/kre-ts:1.0, src: src/a.js, subscriptions: [e], concurrency: many }
      - { name: g, image: konstellation/kre-ts:1.0, src: /etc/passwd, subscriptions: [entrypoint], resources: { memory: { limit: lots } } }
      - { name: h, image: konstellation/kre-ts:1.0, src: src/a.js, subscriptions: [entrypoint], retries: { max: -1 } }
  - name: run
    entrypoint: Run
    exitpoint: a
    nodes: []
`
const MISTAKES: readonly [line: number, code: string][] = [
  [2, 'NAME_INVALID'],
  [3, 'FIELD_REQUIRED'],
  [4, 'PROTO_MISSING'],
  [6, 'CONFIG_DUPLICATE'],
  [6, 'CONFIG_NAME'],
  [10, 'EXITPOINT_UNKNOWN'],
  [12, 'SRC_MISSING'],
  [12, 'SUBSCRIPTION_UNKNOWN'],
  [13, 'NAME_DUPLICATE'],
  [14, 'IMAGE_UNKNOWN'],
  [14, 'PATH_INVALID'],
  [14, 'SUBSCRIPTION_MISSING'],
  [15, 'FIELD_REQUIRED'],
  [15, 'SUBSCRIPTION_SELF'],
  [16, 'FIELD_REQUIRED'],
  [16, 'SUBSCRIPTION_DUPLICATE'],
  [17, 'GRAPH_CYCLE'],
  [18, 'FIELD_TYPE'],
  [19, 'PATH_INVALID'],
  [19, 'RESOURCES_INVALID'],
  [20, 'FIELD_RANGE'],
  [21, 'NAME_DUPLICATE'],
  [24, 'FIELD_REQUIRED'],
]

let engine: TestEngine
let good: Uint8Array
beforeAll(async () => {
  engine = await startTestEngine({ KRE_PAYLOAD_BYTES_MAX: String(MiB) })
  await engine.createRuntime(RUNTIME)
  good = await packChain('good')
})
afterAll(async () => engine[Symbol.asyncDispose](), 60_000)

/** Archives as no tool of KRE would make them. */
function tarOf(files: Record<string, string>): Uint8Array {
  const blocks = Object.entries(files).flatMap(([path, text]) => {
    const header = Buffer.alloc(512)
    header.write(path, 0)
    header.write('0000644\x000000000\x000000000\0', 100)
    header.write(`${text.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        ', 148)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    const body = Buffer.alloc(Math.ceil(text.length / 512) * 512)
    body.write(text)
    return [header, body]
  })
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}

describe('an upload that is no good bundle', () => {
  const files = chainFiles('bad', THREE)
  const { 'kre.yaml': manifest = '', ...others } = files
  test.each<[string, () => Uint8Array, string]>([
    ['cut in the middle', () => good.subarray(0, good.length / 2), 'ARCHIVE_TRUNCATED'],
    ['empty', () => new Uint8Array(0), 'ARCHIVE_FORMAT'],
    ['no archive at all', () => crypto.getRandomValues(new Uint8Array(10_000)), 'ARCHIVE_FORMAT'],
    ['compressed text', () => gzipSync('hello'.repeat(1_000)), 'ARCHIVE_FORMAT'],
    ['an archive with a tail', () => Buffer.concat([good, Buffer.from('tail')]), 'ARCHIVE_FORMAT'],
    ['a quarter of a gigabyte of zeros', () => gzipSync(Buffer.alloc(256 * MiB)), 'ARCHIVE_'],
    ['climbing out of its folder', () => tarOf({ ...files, '../evil': 'x' }), 'ARCHIVE_PATH'],
    ['absolute', () => tarOf({ ...files, '/etc/evil': 'x' }), 'ARCHIVE_PATH'],
    ['without a manifest', () => tarOf(others), 'MANIFEST_MISSING'],
    ['of broken YAML', () => tarOf({ ...others, 'kre.yaml': 'version: [' }), 'YAML_SYNTAX'],
    [
      'of an alias bomb',
      () => tarOf({ ...others, 'kre.yaml': 'a: &a [x]\nb: [*a, *a]\n' }),
      'YAML_FEATURE',
    ],
    [
      'without its proto',
      () => tarOf({ ...files, 'kre.yaml': manifest.replace('ticket.proto', 'none.proto') }),
      'PROTO_MISSING',
    ],
    [
      'of a broken proto',
      () => tarOf({ ...files, 'ticket.proto': 'syntax = "proto3"; message {' }),
      'PROTO_SYNTAX',
    ],
    [
      'with an rpc that is not there',
      () =>
        tarOf({ ...files, 'kre.yaml': manifest.replace('entrypoint: Run', 'entrypoint: Walk') }),
      'RPC_UNKNOWN',
    ],
    [
      'without the code of a node',
      () => tarOf({ ...files, 'kre.yaml': manifest.replace('src/a.js', 'src/x.js') }),
      'SRC_MISSING',
    ],
    [
      'with code that does not parse',
      () => tarOf({ ...files, 'src/a.js': 'export const = (' }),
      'SRC_SYNTAX',
    ],
  ])('is refused when it is %s, and leaves nothing', async (_what, archive, code) => {
    const { status: answered, body } = await engine.upload<UploadProblem>(RUNTIME, archive())
    expect([answered, body.code]).toEqual([422, 'krt_validation_error'])
    expect(body.issues?.map((issue) => issue.code)).toContainEqual(expect.stringContaining(code))
    expect(await belongings(engine.dataDir)).toMatchObject({ bundles: [], scratch: [] })
  })

  test('lists all mistakes of a manifest at once, with their lines, to the API and to krectl', async () => {
    const mistaken = { ...others, 'kre.yaml': MISTAKEN }
    const { body } = await engine.upload<UploadProblem>(RUNTIME, tarOf(mistaken))
    const found = body.issues?.map(({ line, code }) => [line, code])
    for (const mistake of MISTAKES) expect(found).toContainEqual(mistake)

    const dir = await mkdtemp(join(tmpdir(), 'kre-mistakes-'))
    try {
      await writeFiles(dir, mistaken)
      const ran = promisify(execFile)(process.execPath, [
        krectl,
        'version',
        'create',
        '-r',
        RUNTIME,
        dir,
        '--data',
        engine.dataDir,
      ])
      const { code, stderr } = await ran.then(
        () => ({ code: 0, stderr: '' }),
        (error: { code: number; stderr: string }) => error,
      )
      expect(code).toBe(1)
      for (const [line, mistake] of MISTAKES)
        expect(stderr).toMatch(new RegExp(`kre\\.yaml:${line}:\\d+ error ${mistake} `))
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  test('that breaks off leaves nothing, and the next one is taken', async () => {
    const record = await readEngineRecord(engine.dataDir)
    const token = (await readFile(join(engine.dataDir, 'token'), 'utf8')).trim()
    const upload = request(
      new URL(`/api/v1/runtimes/${RUNTIME}/versions`, record?.adminUrl ?? ''),
      {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-length': good.length },
      },
    )
    const failed = once(upload, 'error')
    upload.write(good.subarray(0, good.length / 2))
    const isUnderWay = async () => (await belongings(engine.dataDir)).scratch.length > 0
    await waitUntil('an upload under way', isUnderWay)
    upload.destroy(new Error('gone'))
    await failed
    await waitUntil('nothing left of the upload', async () => !(await isUnderWay()))
    expect((await engine.upload(RUNTIME, good)).status).toBe(201)
  })

  test('of one name is taken once: the same bytes are the same version, others are refused', async () => {
    const other = await packFiles({ ...chainFiles('twice', THREE), 'note.txt': 'other' })
    const same = await packChain('twice')
    const answers = await Promise.all(
      [same, same, other, same, other].map((archive) =>
        engine.upload<UploadProblem>(RUNTIME, archive),
      ),
    )
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1)
    for (const { status: answered, body } of answers.filter((answer) => answer.status > 201))
      expect([answered, body.code]).toEqual([409, 'VERSION_EXISTS'])
    // Only what the versions "good" and "twice" have is kept.
    expect((await belongings(engine.dataDir)).bundles).toHaveLength(2)
  })
})

describe('an operation at the wrong time', () => {
  const refused = (operation: Operation, name: string, comment?: string) =>
    engine.operate(operation, RUNTIME, name, comment).then(
      () => 'done',
      (error: Error) => error.message,
    )

  test('is refused in words of KRE, from creation to deletion', async () => {
    expect((await engine.upload(RUNTIME, good)).status).toBe(200)
    expect(await refused('publish', 'good')).toBe('the version must be started before publishing')
    expect(await refused('stop', 'good')).toBe('the version must be started before stopping')
    expect(await refused('unpublish', 'good')).toBe(
      'the version must be published before unpublishing',
    )
    expect(await refused('start', 'good', '  ')).toMatch(/comment is empty/)
    expect(await refused('start', 'nobody')).toMatch(/no version "nobody"/)
    await engine.operate('start', RUNTIME, 'good')
    await engine.reach(RUNTIME, 'good', 'STARTED')
    expect(await refused('start', 'good')).toBe('the version must be stopped before starting')
    expect(await refused('delete', 'good')).toBe('the version must be stopped before deleting')
    await engine.operate('publish', RUNTIME, 'good')
    await engine.reach(RUNTIME, 'good', 'PUBLISHED')
    expect(await refused('stop', 'good')).toBe('the version must be unpublished before stopping')
    expect(await refused('delete', 'good')).toBe('the version must be unpublished before deleting')
    await engine.operate('unpublish', RUNTIME, 'good')
    await engine.reach(RUNTIME, 'good', 'STARTED')
  })

  test('names the configuration that is missing', async () => {
    const files = chainFiles('needy', THREE)
    const needy = {
      ...files,
      'kre.yaml': `${files['kre.yaml']}config: { variables: [API_KEY, MODEL], files: [CERT] }\n`,
    }
    expect((await engine.upload(RUNTIME, await packFiles(needy))).status).toBe(201)
    const message = await refused('start', 'needy')
    for (const key of ['API_KEY', 'MODEL', 'CERT']) expect(message).toContain(`"${key}"`)
  })

  test('on a runtime needs a legal id that is not taken', async () => {
    for (const id of [
      '',
      'ab',
      'UPPER',
      'a b',
      'ünï',
      '-ab',
      'ab-',
      'a'.repeat(16),
      'a.b.c',
      '../../x',
      'x*>',
      'abc\n',
      '__proto__',
    ])
      await expect(engine.createRuntime(id)).rejects.toThrow(/id is not legal/)
    await expect(engine.createRuntime(RUNTIME)).rejects.toThrow(
      'there is already a runtime with the same id',
    )
    expect((await engine.upload('nobody', good)).status).toBe(404)
  })

  test('without the token is refused on every route', async () => {
    const routes = [
      ['GET', '/'],
      ['GET', '/api/v1/status'],
      ['POST', '/graphql'],
      ['PUT', `/api/v1/runtimes/${RUNTIME}/versions`],
      ['GET', `/api/v1/runtimes/${RUNTIME}/versions/good/bundle`],
      ['GET', `/api/v1/runtimes/${RUNTIME}/versions/good/descriptor-set`],
      ['POST', '/api/v1/auth/login-link'],
      ['GET', '/nothing/here'],
    ] as const
    for (const [method, path] of routes) {
      const body = method === 'GET' ? undefined : '{"query":"{ me { email } }"}'
      expect([path, (await engine.request(method, path, body, null)).status]).toEqual([path, 401])
    }
  })
})

describe('a request that a version can not serve', () => {
  test('is answered with the status that says why', async () => {
    const { entrypointAddress } = await engine.reach(RUNTIME, 'good', 'STARTED')
    using client = connectRaw(entrypointAddress)
    expect(await client.ask({ id: 'fine' })).toMatchObject({ ok: true, ticket: { trail: 'abc' } })
    expect(await client.call(Buffer.alloc(9, 0xff))).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringContaining("node 'a'"),
    })
    expect(
      await client.call(encodeTicket({ id: '', command: '', trail: 'x'.repeat(MiB) })),
    ).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringContaining(String(MiB)),
    })
    expect(await client.call(Buffer.alloc(0), { path: '/faults.Entrypoint/Walk' })).toMatchObject({
      code: status.UNIMPLEMENTED,
      message: expect.stringContaining('/faults.Entrypoint/Run'),
    })
    expect(await client.ask({ command: 'c:other' })).toMatchObject({
      code: status.INTERNAL,
      message: expect.stringMatching(/"c".*faults\.Other.*faults\.Ticket/),
    })
    expect(await client.ask({ id: 'after' })).toMatchObject({ ok: true, ticket: { id: 'after' } })
    // Nobody but the entrypoint can know of the wrong type.
    await waitUntil('the entrypoint has said so in the log', async () => {
      const { logs } = await engine.graphql<{ logs: { items: { message: string }[] } }>(
        `query ($runtimeId: ID!, $filters: LogFilters!) {
          logs(runtimeId: $runtimeId, filters: $filters) { items { message } } }`,
        {
          runtimeId: RUNTIME,
          filters: { startDate: '2020-01-01T00:00:00Z', levels: ['ERROR'], search: 'faults.Other' },
        },
      )
      return logs.items.length > 0
    })
  })

  test('has an answer at the published address too, while nothing is published', async () => {
    const published = (await engine.status()).addresses.find((one) =>
      one.name.includes('published'),
    )
    using client = connectRaw(published?.address ?? '')
    const outcome = await client.ask({})
    expect(outcome).toMatchObject({
      code: status.UNAVAILABLE,
      message: expect.stringMatching(/publish/),
    })
  })
})

/** Only root may mount, and not in every container. */
function mountSmallDisk(dir: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', dir], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('a full disk', () => {
  test('refuses an upload clearly, leaves nothing of it, and later takes it', async () => {
    const disk = join(engine.dataDir, 'bundles/scratch')
    if (!mountSmallDisk(disk)) {
      console.warn('skipped: a small disk can not be mounted here (needs root)')
      return
    }
    const large = {
      ...chainFiles('large', THREE),
      'model.bin': Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))
        .toString('hex')
        .repeat(40),
    }
    const noise = Array.from({ length: 60 }, (_, i) => [`weights/${i}.bin`, randomText()])
    const archive = await packFiles({ ...large, ...Object.fromEntries(noise) })
    expect(archive.length).toBeGreaterThan(3 * MiB)
    try {
      const { status: answered, body } = await engine.upload<UploadProblem>(RUNTIME, archive)
      expect([answered, body.message]).toEqual([507, expect.stringContaining('STORAGE_FULL')])
      expect((await belongings(engine.dataDir)).scratch).toEqual([])
    } finally {
      execFileSync('umount', [disk])
    }
    expect((await engine.upload(RUNTIME, archive)).status).toBe(201)
  })
})

/** 60 KiB that do not compress below half. */
function randomText(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString('base64')
}
