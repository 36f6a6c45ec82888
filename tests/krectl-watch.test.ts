/** Verbs that go on, against the real admin API: what is there first, then each change, until they are interrupted. */
import { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import type { TestApi } from '../engine/admin-api/src/testing/start-test-api.ts'
import { createContext } from '../engine/krectl/src/context.ts'
import { run } from '../engine/krectl/src/run.ts'
import { root } from './support/kre.ts'
import { startKrectlApi } from './support/krectl-api.ts'

let api: TestApi

beforeAll(async () => {
  api = await startKrectlApi()
  await api.createRuntime('demo')
  await api.upload({ version: 'v1' })
})
afterAll(() => api[Symbol.asyncDispose]())

/** Runs a command that goes on. */
function start(line: string) {
  const interrupt = new AbortController()
  const written = { text: '' }
  const sink = () =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.text += chunk.toString()
        done()
      },
    })
  const context = createContext({
    root,
    cwd: root,
    environment: { KRE_DATA: api.dataDir },
    stdin: Readable.from(['']),
    stdout: sink(),
    stderr: sink(),
    signal: interrupt.signal,
  })
  return { written, interrupt, ended: run(line.split(' '), context) }
}

test('the versions of a runtime, and each change of one', async () => {
  const { written, interrupt, ended } = start('version list -r demo --watch')
  await waitUntil('the list', () => /^v1 +CREATED/m.test(written.text))
  await api.operate('startVersion')
  await waitUntil('the change', () => written.text.includes('v1  STARTING'))
  await api.observe()
  await waitUntil('the next change', () => written.text.includes('v1  STARTED'))
  interrupt.abort()
  expect(await ended).toBe(0)
})

test('a version with its nodes, as JSON lines', async () => {
  const { written, interrupt, ended } = start('version show -r demo v1 --watch --json')
  const lines = () =>
    written.text
      .trim()
      .split('\n')
      .filter((line) => line !== '')
  await waitUntil('the version', () => lines().length === 1)
  await api.observe({ restarts: 7 })
  await waitUntil('the change of a node', () => lines().length > 1)
  expect(JSON.parse(lines()[0] ?? '')).toMatchObject({ name: 'v1', status: 'STARTED' })
  expect(JSON.parse(lines()[1] ?? '')).toMatchObject({ id: expect.any(String), restarts: 7 })
  interrupt.abort()
  expect(await ended).toBe(0)
})

test('what is not there ends it at once', async () => {
  const { written, ended } = start('version list -r nowhere --watch')
  expect(await ended).toBe(1)
  expect(written.text).toContain('there is no runtime "nowhere"')
})
