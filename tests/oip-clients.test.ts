/** Triton's own Python clients against our entrypoint: gRPC, HTTP with binary tensors, and streams. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import {
  type DecoupledScene,
  openDecoupled,
} from '../runners/entrypoint/src/doors/oip/testing/decoupled-version.ts'
import { type DoorsScene, openDoors } from '../runners/entrypoint/src/testing/doors-version.ts'
import { prepareTritonclient } from './oip-peers/tritonclient.ts'

type Seen = { id?: string; final?: boolean; same?: boolean | null; error?: string }
type Report = Record<'grpc' | 'http', Record<string, unknown>> &
  Record<'stream' | 'compressed' | 'decoupled', Seen[]> & { gzip: boolean }

const client = prepareTritonclient()
const isReady = 'run' in client
const group = isReady ? describe : describe.skip

group(isReady ? 'tritonclient' : `tritonclient (skipped: ${client.reason})`, () => {
  let nats: TestNats
  let scene: DoorsScene
  let decoupled: DecoupledScene
  let report: Report
  beforeAll(async () => {
    if (!isReady) return
    nats = await startNats()
    scene = await openDoors(nats)
    decoupled = await openDecoupled(nats)
    decoupled.script = ['part', 'part']
    report = (await client.run(scene.entrypoint.address, decoupled.entrypoint.address)) as Report
  })
  afterAll(async () => {
    await decoupled?.[Symbol.asyncDispose]()
    await scene?.[Symbol.asyncDispose]()
    await nats?.[Symbol.asyncDispose]()
  })

  test.each(['grpc', 'http'] as const)('%s: all datatypes come back, and the id', (way) => {
    expect(report[way]).toMatchObject({
      same: true,
      id: 'mine',
      ints: [-(2 ** 31), 2 ** 31 - 1],
      others: false,
      live: true,
      ready: true,
      model: true,
    })
  })

  test.each([
    ['grpc', 'StatusCode.NOT_FOUND', 'StatusCode.INVALID_ARGUMENT', 'StatusCode.UNIMPLEMENTED'],
    ['http', '404', '400', '501'],
  ] as const)('%s: what is refused is refused with its status', (way, ...statuses) => {
    const [unknown, missing, load] = statuses.map((status) => expect.stringContaining(status))
    expect(report[way]).toMatchObject({ unknown, missing, load, unload: load })
  })

  test.each(['grpc', 'http'] as const)('%s: the extensions are what the client reads', (way) => {
    const { index, config, counted } = report[way] as Record<string, string[] | number>
    expect(index).toEqual(['demo-rt.everything', 'demo-rt.tensors'])
    expect(config).toEqual(expect.arrayContaining(['floats', 'maybe']))
    expect(Number(counted)).toBeGreaterThan(1)
  })

  test('types are those of the configuration', () => {
    expect(report.grpc['types']).toEqual([
      'TYPE_BOOL',
      'TYPE_FP32',
      'TYPE_FP64',
      'TYPE_INT32',
      'TYPE_INT64',
      'TYPE_STRING',
      'TYPE_UINT32',
      'TYPE_UINT64',
    ])
  })

  test('parameters reach the node', () => {
    const sent = scene.tensors.requests.filter(({ metadata }) => metadata['x-krt-param-color'])
    expect(sent).toHaveLength(2)
    for (const { metadata } of sent)
      expect(metadata).toMatchObject({ 'x-krt-param-color': 'blue', 'x-krt-priority': 'high' })
  })

  test('a compressed request is read', () => {
    expect(report.gzip).toBe(true)
  })

  test('a stream is answered in order, and goes on after a failed request', () => {
    expect(report.stream).toEqual([
      { id: '0', final: true, same: true },
      { error: expect.stringContaining('"nobody"') },
      { id: '2', final: true, same: true },
    ])
    expect(report.compressed.map(({ id, same }) => [id, same])).toEqual([
      ['0', true],
      ['1', true],
    ])
  })

  test('a workflow that answers with a stream gives all its answers, and the final one', () => {
    expect(report.decoupled).toEqual([
      { id: '0', final: false, same: true },
      { id: '0', final: false, same: true },
      { id: '0', final: true, same: null },
      { id: '1', final: true, same: true },
    ])
  })
})
