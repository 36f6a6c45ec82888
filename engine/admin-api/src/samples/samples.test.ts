import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ingestBundle } from '@kre/bundle'
import { controlSubject, MINUTE_MS } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import type { MessageSample } from '@kre/store'
import { bearerOf, makeUser, type Headers } from '../testing/people.ts'
import { uploadSmallBundle } from '../testing/small-bundle.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { createKnownVersions } from '../traffic/known-versions.ts'
import { createRequestRecorder } from '../traffic/request-recorder.ts'
import { callForSamples } from './call-for-samples.ts'

let api: TestApi
let viewer: Headers

beforeAll(async () => {
  api = await startTestApi({ ingest: ingestBundle })
  await uploadSmallBundle(api)
  await makeUser(api, 'vera@kre.io', { grants: [{ runtimeId: 'demo', accessLevel: 'VIEWER' }] })
  viewer = await bearerOf(api, 'vera@kre.io')
})
afterAll(() => api[Symbol.asyncDispose]())

/** A message with `text`, as the bundle's protos have it. */
const part = (text: string, changes: object = {}) => {
  const data = Buffer.concat([Buffer.from([0x0a, text.length]), Buffer.from(text)])
  return { typeName: 'small.Request', bytes: data.length, data, ...changes }
}
const sample = (requestId: string, changes: Partial<MessageSample> = {}): MessageSample => ({
  requestId,
  stepId: 'wf.only.1.1',
  workflow: 'wf',
  node: 'only',
  fromNode: 'entrypoint',
  at: new Date(),
  input: part('in'),
  output: part('out', { typeName: 'small.Response' }),
  ...changes,
})
const EDGE = 'runtimeId: "demo", versionName: "small-v1", workflowId: "wf"'
const FIELDS = 'type bytes isCut isHidden json problem base64'
const edgeSamples = (from: string, to: string, headers?: Headers) =>
  api.graphql(
    `{ edgeSamples(${EDGE}, fromNodeId: "${from}", toNodeId: "${to}") { requestId message { ${FIELDS} } } }`,
    {},
    headers,
  )

describe('samples of messages', () => {
  test('are decoded by the protos of their version, with what the .proto says', async () => {
    await api.store.samples.add('demo', 'small-v1', [
      sample('r1'),
      sample('cut', { input: part('i', { bytes: 70_000 }), output: null }),
      sample('foreign', { input: part('f', { typeName: 'other.Type' }), output: null }),
    ])
    const got = await edgeSamples('entrypoint', 'wf.only')
    expect(got.errors).toBeUndefined()
    expect(got.data?.['edgeSamples']).toEqual([
      {
        requestId: 'foreign',
        message: expect.objectContaining({
          json: null,
          problem: 'the bundle has no message "other.Type"',
          base64: 'CgFm',
        }),
      },
      {
        requestId: 'cut',
        message: expect.objectContaining({ isCut: true, json: null, bytes: 70_000 }),
      },
      {
        requestId: 'r1',
        message: {
          type: 'small.Request',
          bytes: 4,
          isCut: false,
          isHidden: false,
          json: '{"text":"in"}',
          problem: '',
          base64: 'CgJpbg==',
        },
      },
    ])
    const answers = await edgeSamples('wf.only', 'entrypoint')
    expect(answers.data?.['edgeSamples']).toEqual([
      { requestId: 'r1', message: expect.objectContaining({ json: '{"text":"out"}' }) },
    ])
    expect((await edgeSamples('entrypoint', 'wf.nope')).errors?.[0]?.message).toContain(
      'has no node "wf.nope"',
    )
  })

  test('are hidden from those who may not see contents of requests', async () => {
    await api.store.samples.add('demo', 'small-v1', [sample('secret', { stepId: 'wf.only.2.1' })])
    const { data } = await edgeSamples('entrypoint', 'wf.only', viewer)
    expect(data?.['edgeSamples']).toContainEqual({
      requestId: 'secret',
      message: {
        type: 'small.Request',
        bytes: 4,
        isCut: false,
        isHidden: true,
        json: null,
        problem: '',
        base64: null,
      },
    })
    const refused = await sampleFor(5, viewer)
    expect(refused.errors?.[0]?.extensions['code']).toBe('PERMISSION_DENIED')
  })

  const sampleFor = (minutes: number, headers?: Headers) =>
    api.graphql(
      'mutation ($input: SampleMessagesInput!) { sampleMessages(input: $input) { samplingUntil } }',
      { input: { runtimeId: 'demo', versionName: 'small-v1', minutes } },
      headers,
    )

  test('are asked for by a change that is audited, and nodes are called', async () => {
    for (const minutes of [-1, 1_441])
      expect((await sampleFor(minutes)).errors?.[0]?.extensions['code']).toBe('INVALID_ARGUMENT')
    const { data } = await sampleFor(5)
    const { samplingUntil } = data?.['sampleMessages'] ?? { samplingUntil: '' }
    const until = Date.parse(samplingUntil)
    expect(until).toBeGreaterThan(Date.now() + 4 * MINUTE_MS)
    const called: [string, unknown][] = []
    const call = (now: () => Date) =>
      callForSamples({
        samples: api.store.samples,
        publish: (subject, bytes) =>
          called.push([subject, JSON.parse(Buffer.from(bytes).toString()) as unknown]),
        now,
      })
    await call(() => new Date())
    await call(() => new Date(until - 1_000))
    await call(() => new Date(until))
    const subject = controlSubject({ runtimeId: 'demo', version: 'small-v1' }, 'sample')
    expect(called).toEqual([
      [subject, { forMs: 16_000 }],
      [subject, { forMs: 1_000 }],
    ])
    const { data: audited } = await api.graphql(
      '{ userActivityList(types: [UPDATE_SETTING]) { vars { key value } } }',
    )
    expect(JSON.stringify(audited)).toContain('sampleMinutes')
    expect((await sampleFor(0)).data?.['sampleMessages']).toEqual({ samplingUntil: null })
  })

  test('of nodes are stored only while somebody asks, and only of edges that are there', async () => {
    const now = () => new Date()
    const recorder = createRequestRecorder({
      store: api.store,
      knownVersions: createKnownVersions(api.store, now),
      now,
      logger: createLogger('test', { level: 'silent' }),
    })
    const ref = { runtimeId: 'demo', version: 'small-v1' }
    const tell = async (requestId: string, fromNode: string) => {
      const snippet = { type: 'small.Request', bytes: 4, base64: 'CgJpbg==' }
      const step = {
        requestId,
        id: '1.1',
        fromNode,
        attempt: 1,
        arrivedUnixMs: Date.now(),
        transportMs: null,
        queueMs: 0,
        handlerMs: 1,
        ok: true,
        bytes: 4,
        input: snippet,
      }
      const message = { workflow: 'wf', node: 'only', steps: [step] }
      recorder.steps(controlSubject(ref, 'steps'), Buffer.from(JSON.stringify(message)))
      await recorder.flush()
    }
    const kept = async (requestId: string) =>
      (await api.store.samples.list('demo', 'small-v1', { requestId })).length
    await tell('unasked', 'entrypoint')
    await sampleFor(5)
    await tell('asked', 'entrypoint')
    await tell('invented', 'no-such-node')
    expect([await kept('unasked'), await kept('asked'), await kept('invented')]).toEqual([0, 1, 0])
  })

  test('are beside the steps of their request', async () => {
    await api.store.requests.keep([
      {
        id: 'r1',
        runtimeId: 'demo',
        version: 'small-v1',
        workflow: 'wf',
        kept: 'sample',
        startedAt: new Date(),
        elapsedMs: 1,
        handlerMs: 1,
        status: 'OK',
        message: '',
        attempts: 1,
        requestBytes: 4,
      },
    ])
    const step = (id: string) => ({
      id,
      workflow: 'wf',
      node: 'only',
      fromNode: 'entrypoint',
      attempt: 1,
      arrivedAt: new Date(),
      transportMs: null,
      queueMs: 0,
      handlerMs: 1,
      ok: true,
      bytes: 4,
    })
    await api.store.requests.addSteps('demo', 'small-v1', [
      { requestId: 'r1', step: step('wf.only.1.1') },
      { requestId: 'r1', step: step('wf.only.9.1') },
    ])
    const { data } = await api.graphql(
      '{ request(id: "r1") { steps { input { json } output { json type } } } }',
    )
    expect(data?.['request']).toEqual({
      steps: [
        {
          input: { json: '{"text":"in"}' },
          output: { json: '{"text":"out"}', type: 'small.Response' },
        },
        { input: null, output: null },
      ],
    })
  })

  test('go with their version', async () => {
    await api.operate('deleteVersion', 'small-v1')
    expect(await api.store.samples.list('demo', 'small-v1', { requestId: 'r1' })).toEqual([])
  })
})

describe('the service of a version', () => {
  test('is told with the comments of its .proto', async () => {
    await using other = await startTestApi({ ingest: ingestBundle })
    await uploadSmallBundle(other)
    const { data, errors } = await other.graphql(
      '{ version(runtimeId: "demo", name: "small-v1") { service { name rpcs { name path workflowId requestType serverStreaming } messages { name comment fields { name kind type label } } enums { name } } } }',
    )
    expect(errors).toBeUndefined()
    expect(data?.['version']).toEqual({
      service: {
        name: 'small.Entrypoint',
        rpcs: [
          {
            name: 'Call',
            path: '/small.Entrypoint/Call',
            workflowId: 'wf',
            requestType: 'small.Request',
            serverStreaming: false,
          },
        ],
        messages: [
          {
            name: 'small.Request',
            comment: 'What is asked.',
            fields: [{ name: 'text', kind: 'SCALAR', type: 'string', label: 'SINGLE' }],
          },
        ],
        enums: [],
      },
    })
  })
})
