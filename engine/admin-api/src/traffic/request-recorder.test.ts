import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { controlSubject } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import { sampleRuntime, sampleVersion } from '@kre/store/testing'
import { sampleKeptRequest } from '../testing/sample-kept-request.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { createKnownVersions, type KnownVersions } from './known-versions.ts'
import { createRequestRecorder } from './request-recorder.ts'

const V1 = { runtimeId: 'demo', version: 'v1' }
const KEPT = controlSubject(V1, 'kept')
const STEPS = controlSubject(V1, 'steps')
const logger = createLogger('test', { level: 'silent' })

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
  await api.store.runtimes.create(sampleRuntime())
  await api.store.versions.create(sampleVersion('v1'))
})
afterAll(() => api[Symbol.asyncDispose]())

const open = (known?: KnownVersions) =>
  createRequestRecorder({
    store: api.store,
    knownVersions: known ?? createKnownVersions(api.store, () => new Date()),
    now: () => new Date(),
    logger,
  })
const bytes = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
const step = (requestId: string, id: string) => ({
  requestId,
  id,
  fromNode: 'entrypoint',
  attempt: 1,
  arrivedUnixMs: 1.7e12 + 1,
  transportMs: null,
  queueMs: 0.1,
  handlerMs: 4,
  ok: false,
  bytes: 3,
})

describe('createRequestRecorder', () => {
  test('brings requests and their steps together, from whatever node', async () => {
    const recorder = open()
    recorder.steps(STEPS, bytes({ workflow: 'wf', node: 'a', steps: [step('r1', '0.1')] }))
    recorder.kept(KEPT, bytes({ requests: [sampleKeptRequest('r1')] }))
    await recorder.flush()
    recorder.steps(STEPS, bytes({ workflow: 'wf', node: 'b', steps: [step('r1', '0.1')] }))
    await recorder.flush()
    expect(await api.store.requests.find('demo', 'r1')).toMatchObject({
      ...V1,
      status: 'INTERNAL',
      startedAt: new Date(1.7e12),
      steps: [
        { id: 'wf.a.0.1', node: 'a', ok: false },
        { id: 'wf.b.0.1', node: 'b' },
      ],
    })
  })

  test('takes nothing that is malformed, and goes on', async () => {
    const recorder = open()
    const bad = [
      '',
      '{',
      'null',
      { requests: 7 },
      { requests: [{ ...sampleKeptRequest('x'), kept: 'stolen' }] },
      { requests: [{ ...sampleKeptRequest('x'), startedUnixMs: 1e300 }] },
      { requests: [{ ...sampleKeptRequest('x'), id: 'x'.repeat(201) }] },
      { requests: Array.from({ length: 201 }, (_, i) => sampleKeptRequest(`${i}`)) },
    ]
    for (const message of bad) {
      recorder.kept(KEPT, bytes(message))
      recorder.steps(STEPS, bytes(message))
    }
    recorder.kept('x.Demo.v1._c.kept', bytes({ requests: [sampleKeptRequest('x')] }))
    recorder.kept('x.demo', bytes({ requests: [sampleKeptRequest('x')] }))
    expect(recorder.counts.invalid).toBe(2 * bad.length + 2)
    await recorder.flush()
    expect(await api.store.requests.find('demo', 'x')).toBeNull()
  })

  test('has a bound while the store fails', async () => {
    let fails = true
    const known = createKnownVersions(api.store, () => new Date())
    const recorder = open(async (runtimeId, version) => {
      if (fails) throw new Error('down')
      return known(runtimeId, version)
    })
    for (let batch = 0; batch < 60; batch += 1) {
      const requests = Array.from({ length: 100 }, (_, i) =>
        sampleKeptRequest(`b-${batch * 100 + i}`),
      )
      recorder.kept(KEPT, bytes({ requests }))
    }
    await recorder.flush()
    expect(recorder.counts.dropped).toBe(1_000)
    fails = false
    await recorder.flush()
    expect(await api.store.requests.find('demo', 'b-5999')).not.toBeNull()
    expect(await api.store.requests.find('demo', 'b-0')).toBeNull()
  })

  test('keeps nothing of a runtime, a version, a workflow or a node that is not there', async () => {
    const recorder = open()
    for (const of of [
      { runtimeId: 'gone', version: 'v1' },
      { runtimeId: 'demo', version: 'gone' },
    ])
      recorder.kept(controlSubject(of, 'kept'), bytes({ requests: [sampleKeptRequest('g1')] }))
    recorder.kept(KEPT, bytes({ requests: [{ ...sampleKeptRequest('g1'), workflow: 'gone' }] }))
    recorder.kept(KEPT, bytes({ requests: [sampleKeptRequest('g2')] }))
    recorder.steps(STEPS, bytes({ workflow: 'wf', node: 'gone', steps: [step('g2', '0.1')] }))
    await recorder.flush()
    expect(await api.store.requests.find('gone', 'g1')).toBeNull()
    expect(await api.store.requests.find('demo', 'g1')).toBeNull()
    expect(await api.store.requests.find('demo', 'g2')).toMatchObject({ steps: [] })
  })
})
