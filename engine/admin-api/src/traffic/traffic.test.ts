import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { TrafficSample } from '@kre/store'
import { openEventStream } from '../testing/event-stream.ts'
import { bearerOf, makeUser } from '../testing/people.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

const BEGIN = Date.now() - 120_000
const times = (bucket: number, sumS: number) => ({
  buckets: Array.from({ length: 19 }, (_, i) => (i === bucket ? 4 : 0)),
  sumS,
})
const sample = (ms: number, changes: Partial<TrafficSample> = {}): TrafficSample => ({
  workflow: 'wf',
  node: null,
  from: null,
  at: new Date(BEGIN + ms),
  calls: 4,
  errors: 1,
  times: {},
  ...changes,
})

let api: TestApi
let live: TrafficSample[] = []
beforeAll(async () => {
  api = await startTestApi({ liveTraffic: () => live })
  await api.createRuntime('demo')
  await api.createRuntime('other')
  await api.upload({ version: 'v1' })
  await api.store.traffic.add('demo', 'v1', [
    sample(0, { times: { duration: times(4, 0.004), overhead: times(1, 0.0004) } }),
    sample(60_000),
    sample(0, { node: 'a', times: { handler: times(4, 0.004) } }),
    sample(0, { node: 'a', from: 'entrypoint' }),
    sample(0, { node: 'b', from: 'a' }),
  ])
})
afterAll(() => api[Symbol.asyncDispose]())

const TOTAL =
  'total { calls errors rate duration { count mean p50 } overhead { p99 } handler { p50 } }'

describe('traffic', () => {
  test('is told by workflow, node and edge', async () => {
    const { data, errors } = await api.graphql(
      `query ($from: String!, $to: String!) { traffic(runtimeId: "demo", versionName: "v1", from: $from, to: $to, step: 5) {
        step workflows { workflowId ${TOTAL} points { calls rate } }
        nodes { nodeId ${TOTAL} } edges { fromNodeId toNodeId ${TOTAL} } } }`,
      { from: new Date(BEGIN).toISOString(), to: new Date(BEGIN + 90_000).toISOString() },
    )
    expect(errors).toBeUndefined()
    const none = { duration: null, overhead: null, handler: null }
    const total = { calls: 4, errors: 1, rate: expect.any(Number), ...none }
    expect(data?.['traffic']).toEqual({
      step: 5,
      workflows: [
        {
          workflowId: 'wf',
          total: {
            calls: 8,
            errors: 2,
            rate: expect.any(Number),
            duration: { count: 4, mean: 1, p50: 0.75 },
            overhead: { p99: expect.closeTo(0.0995, 9) },
            handler: null,
          },
          points: [
            { calls: 4, rate: 0.8 },
            { calls: 4, rate: 0.8 },
          ],
        },
      ],
      nodes: [{ nodeId: 'wf.a', total: { ...total, handler: { p50: 0.75 } } }],
      edges: [
        { fromNodeId: 'wf.a', toNodeId: 'wf.b', total },
        { fromNodeId: 'entrypoint', toNodeId: 'wf.a', total },
      ].toSorted((a, b) => (a.toNodeId < b.toNodeId ? -1 : 1)),
    })
  })

  test.each([
    ['a step of nothing', 'step: 0', 'step is a number of seconds from 1'],
    ['too many points', 'step: 5, to: "2039-01-01T00:00:00Z"', 'at most 1500'],
    ['an end before the begin', 'to: "1999-01-01T00:00:00Z"', 'to is before from'],
  ])('refuses %s', async (_, args, message) => {
    const { errors } = await api.graphql(
      `query ($from: String!) { traffic(runtimeId: "demo", versionName: "v1", from: $from, ${args}) { step } }`,
      { from: new Date(BEGIN).toISOString() },
    )
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining(message),
      extensions: { code: 'INVALID_ARGUMENT' },
    })
  })

  test('is told live, at once and then every second', async () => {
    live = [sample(0), sample(1_000)]
    const stream = await openEventStream(
      api.url,
      api.asOwner,
      'subscription { watchTraffic(runtimeId: "demo", versionName: "v1") { workflows { total { calls rate } points { calls } } } }',
    )
    await stream.received(1)
    live = [sample(0)]
    const events = await stream.received(3)
    stream.close()
    expect(events[0]?.data?.['watchTraffic']).toEqual({
      workflows: [{ total: { calls: 8, rate: 1.6 }, points: [] }],
    })
    expect(events[2]?.data?.['watchTraffic']).toEqual({
      workflows: [{ total: { calls: 4, rate: 0.8 }, points: [] }],
    })
  })
})

describe('examples of requests', () => {
  const kept = (id: string, runtimeId: string, changes: object = {}) => ({
    id,
    runtimeId,
    version: 'v1',
    workflow: 'wf',
    kept: 'failed' as const,
    startedAt: new Date(BEGIN),
    elapsedMs: 12,
    handlerMs: 10,
    status: 'INTERNAL',
    message: 'no \u001b[31mluck',
    attempts: 1,
    requestBytes: 3,
    ...changes,
  })
  const FIELDS =
    'id kept status message overheadMs steps { nodeId fromNodeId transportMs queueMs handlerMs ok }'
  beforeAll(async () => {
    await api.store.requests.keep([
      kept('r1', 'demo'),
      kept('r2', 'demo', { kept: 'slow', status: 'OK', message: '', elapsedMs: 900 }),
      kept('secret', 'other'),
    ])
    const step = {
      id: '1',
      workflow: 'wf',
      node: 'a',
      fromNode: 'entrypoint',
      attempt: 1,
      arrivedAt: new Date(BEGIN),
      transportMs: null,
      queueMs: 1,
      handlerMs: 10,
      ok: false,
      bytes: 3,
    }
    await api.store.requests.addSteps('demo', 'v1', [{ requestId: 'r1', step }])
  })

  test('are listed with filters, and found by id with their steps', async () => {
    const { data, errors } = await api.graphql(
      `{ all: recentRequests(runtimeId: "demo", versionName: "v1") { id }
         slow: recentRequests(runtimeId: "demo", versionName: "v1", filters: { kept: [slow], elapsedMsMin: 100, workflow: "wf" }) { id }
         none: recentRequests(runtimeId: "demo", versionName: "v1", filters: { statuses: ["ABORTED"] }) { id }
         request(id: "r1") { ${FIELDS} }
         nobody: request(id: "nope") { id } }`,
    )
    expect(errors).toBeUndefined()
    expect(data).toEqual({
      all: expect.arrayContaining([{ id: 'r1' }, { id: 'r2' }]),
      slow: [{ id: 'r2' }],
      none: [],
      request: {
        id: 'r1',
        kept: 'failed',
        status: 'INTERNAL',
        message: String.raw`no \u{1b}[31mluck`,
        overheadMs: 2,
        steps: [
          {
            nodeId: 'wf.a',
            fromNodeId: 'entrypoint',
            transportMs: null,
            queueMs: 1,
            handlerMs: 10,
            ok: false,
          },
        ],
      },
      nobody: null,
    })
  })

  test('of other runtimes are not there for those who may not see them', async () => {
    await makeUser(api, 'eve@kre.io', { grants: [{ runtimeId: 'demo', accessLevel: 'VIEWER' }] })
    const eve = await bearerOf(api, 'eve@kre.io')
    const { data } = await api.graphql(
      '{ secret: request(id: "secret") { id } own: request(id: "r1") { id } }',
      {},
      eve,
    )
    expect(data).toEqual({ secret: null, own: { id: 'r1' } })
    const owner = await api.graphql('{ request(id: "secret") { id } }')
    expect(owner.data).toEqual({ request: { id: 'secret' } })
  })

  test.each([
    ['a limit of nothing', '{ limit: 0 }'],
    ['a limit of too much', '{ limit: 201 }'],
    ['a date that is none', '{ startDate: "soon" }'],
    ['a time below zero', '{ elapsedMsMin: -1 }'],
  ])('refuse %s', async (_, filters) => {
    const { errors } = await api.graphql(
      `{ recentRequests(runtimeId: "demo", versionName: "v1", filters: ${filters}) { id } }`,
    )
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
