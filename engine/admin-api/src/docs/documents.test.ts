import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { buildBundle, ingestBundle } from '@kre/bundle'
import { bearerOf, makeUser } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

const MANIFEST = `krtVersion: v2
version: documented
description: a documented one
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
workflows:
  - name: wf
    entrypoint: Call
    exitpoint: only
    nodes:
      - { name: only, image: konstellation/kre-ts:1.0, src: src/only.ts, subscriptions: [entrypoint] }
`
const PROTO = `syntax = "proto3";
package documented;
message Request { string text = 1; }
message Response { string text = 1; }
service Entrypoint { rpc Call (Request) returns (Response) {}; }
`
const PNG = Buffer.from('89504e470d0a1a0a00ff', 'hex')
const FILES: Readonly<Record<string, string | Buffer>> = {
  'kre.yaml': MANIFEST,
  'public_input.proto': PROTO,
  'src/only.ts': 'export async function handle() {}\n',
  'docs/README.md': '# Hello\n\n<script>alert(1)</script>\n',
  'docs/images/a picture.png': PNG,
  'docs/drawing.svg': '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
  'docs/page.html': '<script>alert(1)</script>',
  'docs/large.md': 'x'.repeat(9 * 1024 * 1024),
  'metrics/dashboards/models.json': '{"cells":[]}',
}

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ ingest: ingestBundle })
  await api.createRuntime('demo')
  await api.createRuntime('other')
  const directory = join(api.dataDir, 'documented')
  for (const [path, contents] of Object.entries(FILES)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), contents)
  }
  const built = await buildBundle({ directory, out: join(api.dataDir, 'documented.krt') })
  if (!built.ok) throw new Error(JSON.stringify(built.issues))
  const { status, text } = await api.send('/api/v1/runtimes/demo/versions', {
    method: 'PUT',
    headers: api.asOwner,
    body: await readFile(built.file),
  })
  if (status >= 300) throw new Error(text)
})
afterAll(() => api[Symbol.asyncDispose]())

const open = (path: string, headers: Record<string, string> = api.asOwner, runtime = 'demo') =>
  api.send(
    `/api/v1/runtimes/${runtime}/versions/documented/document?path=${encodeURIComponent(path)}`,
    { headers },
  )

describe('documents of a bundle', () => {
  test('are listed: those of served types, and the dashboards', async () => {
    const { data } = await api.graphql(
      '{ documents(runtimeId: "demo", versionName: "documented") { path contentType isDashboard url } }',
    )
    const documents = data?.['documents'] as unknown as { path: string; url: string }[]
    expect(documents.map(({ path }) => path)).toEqual([
      'docs/README.md',
      'docs/drawing.svg',
      'docs/images/a picture.png',
      'docs/large.md',
      'metrics/dashboards/models.json',
    ])
    expect(documents.at(-1)).toMatchObject({ isDashboard: true, contentType: 'application/json' })
    const picture = await api.send(documents[2]?.url ?? '', { headers: api.asOwner })
    expect(picture.headers['content-type']).toBe('image/png')
    expect(picture.headers['content-length']).toBe(String(PNG.length))
  })

  test('are served as what they are, and run nothing', async () => {
    const { status, headers, text } = await open('docs/README.md')
    expect(status).toBe(200)
    expect(text).toBe(FILES['docs/README.md'])
    expect(headers).toMatchObject({
      'content-type': 'text/markdown; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': expect.stringMatching(/^sandbox; default-src 'none'/),
    })
    expect(headers['content-disposition']).toBeUndefined()
  })

  test.each([
    ['docs/drawing.svg', 'drawing.svg'],
    ['metrics/dashboards/models.json', 'models.json'],
  ])('%s is handed over as a file', async (path, name) => {
    const { status, headers } = await open(path)
    expect(status).toBe(200)
    expect(headers['content-disposition']).toContain(`attachment; filename="${name}"`)
    expect(headers['content-security-policy']).toMatch(/^sandbox;/)
  })

  test.each([
    '',
    'docs',
    'docs/',
    'docs/nope.md',
    'docs/README.MD',
    'docs/page.html',
    'docs/large.md',
    'kre.yaml',
    'src/only.ts',
    '/docs/README.md',
    'docs/../kre.yaml',
    'docs/../../../../etc/passwd',
    'docs//README.md',
    './docs/README.md',
    'docs\\README.md',
    'docs/README.md\0.png',
    'docs/%2e%2e/kre.yaml',
    'docs/README.md/',
    'file:///etc/passwd',
    '__proto__',
  ])('there is nothing at %p', async (path) => {
    const { status } = await open(path)
    expect(status).toBe(404)
  })

  test('are not sent again to who has them', async () => {
    const { headers } = await open('docs/README.md')
    const again = await open('docs/README.md', {
      ...api.asOwner,
      'if-none-match': headers.etag ?? '',
    })
    expect([again.status, again.text]).toEqual([304, ''])
    const other = await open('docs/drawing.svg', {
      ...api.asOwner,
      'if-none-match': headers.etag ?? '',
    })
    expect(other.status).toBe(200)
  })

  test('are for those who may see the runtime', async () => {
    await makeUser(api, 'eve@kre.io', { grants: [{ runtimeId: 'other', accessLevel: 'VIEWER' }] })
    const eve = await bearerOf(api, 'eve@kre.io')
    expect((await open('docs/README.md', eve)).status).toBe(404)
    expect((await open('docs/README.md', {})).status).toBe(401)
    // Not there under another runtime's name either.
    expect((await open('docs/README.md', api.asOwner, 'other')).status).toBe(404)
  })
})
