/** A client in KRE's own words, which knows nothing of this repository, against the real engine. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createKre, root, type Kre } from './support/kre.ts'

const run = promisify(execFile)
const script = join(root, 'examples/clients/kre-life-cycle.mjs')
let kre: Kre
let url = ''

beforeAll(async () => {
  kre = await createKre({ KRE_GRAPHQL_UPLOADS: 'true' })
  await kre.json('dev', '--detach', '--no-example')
  ;({ url } = await kre.json<{ url: string }>('whoami'))
  const folder = join(kre.dataDir, '..', 'hello')
  await kre.json('krt', 'init', folder)
  await kre.json('krt', 'build', folder, '-o', `${folder}.krt`)
})
afterAll(async () => kre?.[Symbol.asyncDispose]())

async function lifeCycle(...words: string[]): Promise<Map<string, unknown>> {
  const bundle = join(kre.dataDir, '..', 'hello.krt')
  const { stdout } = await run(process.execPath, [
    script,
    '--url',
    url,
    '--bundle',
    bundle,
    ...words,
  ])
  const lines = stdout.trim().split('\n')
  return new Map(
    lines.map((line) => {
      const { step, what } = JSON.parse(line) as { step: string; what: unknown }
      return [step, what]
    }),
  )
}

test.each([
  ['with the local token and the file as the body', 'plain', [], false],
  ['with an API token and a multipart request', 'form', ['--multipart'], true],
] as const)('a version lives its whole life %s', async (_how, runtime, extra, withApiToken) => {
  let tokenFile = join(kre.dataDir, 'token')
  if (withApiToken) {
    const { token } = await kre.json<{ token: string }>('token', 'create', 'client')
    tokenFile = join(kre.dataDir, '..', 'api-token')
    await writeFile(tokenFile, token, { mode: 0o600 })
  }
  const greet = '/hello.Entrypoint/Greet {"name": "Ada"}'
  const said = await lifeCycle(
    '--runtime',
    runtime,
    '--token-file',
    tokenFile,
    '--call',
    greet,
    ...extra,
  )
  expect(said.get('answered')).toEqual({ greeting: 'Hello, Ada!' })
  expect(said.get('published')).toMatchObject({ publishedVersion: { name: 'hello-v1' } })
  expect(said.get('nodes watched')).toMatchObject({
    'greet.greet': expect.arrayContaining(['STARTED']),
  })
  expect(said.get('activities')).toBeGreaterThanOrEqual(4)
  expect(said.get('runtime deleted')).toEqual({ id: runtime })
  expect(await kre.json('runtime', 'list')).toEqual([])
})
