/** Hostile bundles by way of HTTP: the API refuses each, answers others meanwhile, and is afterwards what it was. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ingestBundle } from '@kre/bundle'
import { type KrtIssue, MiB } from '@kre/contracts'
import { startTestApi, type TestApi } from '../../engine/admin-api/src/testing/start-test-api.ts'
import { HOSTILE_CORPUS } from './corpus/hostile-corpus.ts'
import { bundleOf, type HostileInput } from './corpus/hostile-input.ts'

const SAMPLE = [
  'path: "../evil.py"',
  'type: a symbolic link',
  'frame: noise',
  'bomb: a file of zeros',
  'bomb: 10,001 files',
  'yaml: an alias bomb',
  'field: a cycle of 2,500 nodes',
  'proto: 16,000 fields',
  'source: src/reply.py of 100,000 brackets',
  'model: a million parts',
]
const GROWTH_BYTES_MAX = 64 * MiB

type Upload = { input: HostileInput; body: Buffer }
const uploads: Upload[] = SAMPLE.map((wanted) => {
  const input = HOSTILE_CORPUS.find(({ name }) => name === wanted)
  if (input === undefined) throw new Error(`the corpus has no ${wanted}`)
  return { input, body: Buffer.from(input.bytes()) }
})

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ ingest: ingestBundle })
  await api.createRuntime()
})
afterAll(() => api[Symbol.asyncDispose]())

const put = (body: Buffer) =>
  api.send('/api/v1/runtimes/demo/versions', { method: 'PUT', headers: api.asOwner, body })

/** Asks for the health without a pause until `work` is done. @returns how often it was answered. */
async function askMeanwhile(work: Promise<unknown>): Promise<number> {
  let isDone = false
  const done = work.finally(() => (isDone = true))
  let answers = 0
  while (!isDone) {
    expect((await api.send('/healthz')).status).toBe(200)
    answers += 1
  }
  await done
  return answers
}

function residentBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage.rss()
}

describe('hostile uploads', () => {
  test.each(uploads)('are refused: $input.name', async ({ input, body }) => {
    const answering = put(body)
    // A validator takes some hundred milliseconds, in which an API that is not held up answers many times.
    expect(await askMeanwhile(answering)).toBeGreaterThan(5)
    const { status, text } = await answering
    expect(status).toBe(422)
    const { code, issues } = JSON.parse(text) as { code: string; issues: KrtIssue[] }
    expect(code).toBe('krt_validation_error')
    expect(issues.map((issue) => issue.code)).toContain(input.code)
    expect(await api.scratchFiles()).toEqual([])
  })

  test('leave no memory behind, no version, and an API that takes a good one', async () => {
    const before = residentBytes()
    await Promise.all(uploads.slice(0, 4).map(({ body }) => put(body)))
    for (const { body } of uploads.slice(4)) await put(body)
    expect(residentBytes() - before).toBeLessThan(GROWTH_BYTES_MAX)
    expect(await api.store.versions.list('demo')).toEqual([])
    expect((await put(bundleOf({}))).status).toBe(201)
    expect(await api.statusOf('intake-v3')).toBe('CREATED')
  })
})
