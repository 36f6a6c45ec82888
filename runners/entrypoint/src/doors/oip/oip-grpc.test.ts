import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS } from '@kre/contracts'
import { GRPCInferenceService } from '@kre/contracts/oip'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type DoorsScene, openDoors } from '../../testing/doors-version.ts'
import { frame } from '../../testing/raw-client.ts'
import {
  callOip,
  type Input,
  type Request,
  tensorsRequest,
  VALUES,
} from './testing/oip-grpc-client.ts'

const { method } = GRPCInferenceService
const { 'invalid-argument': invalid, 'not-found': notFound } = GRPC_STATUS

let nats: TestNats
let scene: DoorsScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats)
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

const inferGrpc = (wanted: Request, headers?: Record<string, string>) =>
  callOip(scene, method.modelInfer, wanted, headers)

describe('gRPC', () => {
  test('tells of the server and its models', async () => {
    expect((await callOip(scene, method.serverLive, {})).response.live).toBe(true)
    expect((await callOip(scene, method.serverReady, {})).response.ready).toBe(true)
    expect((await callOip(scene, method.serverMetadata, {})).response).toMatchObject({
      name: 'kre',
    })
    for (const name of ['tensors', 'demo-rt.tensors'])
      expect(
        (await callOip(scene, method.modelReady, { name, version: scene.version })).response.ready,
      ).toBe(true)
    const { response } = await callOip(scene, method.modelMetadata, { name: 'tensors' })
    expect(response).toMatchObject({ name: 'tensors', versions: [scene.version], platform: 'kre' })
    expect(response.inputs.slice(0, 2)).toMatchObject([
      { name: 'floats', datatype: 'FP32', shape: [-1n] },
      { name: 'doubles', datatype: 'FP64', shape: [-1n] },
    ])
    expect(response.inputs.at(-1)).toMatchObject({ name: 'maybe', datatype: 'FP32', shape: [1n] })
    expect((await callOip(scene, method.repositoryIndex, {})).response.models).toMatchObject([
      { name: 'demo-rt.everything', version: scene.version, state: 'READY' },
      { name: 'demo-rt.tensors', version: scene.version, state: 'READY' },
    ])
  })

  test('a model is not ready while a node is missing, and unknown ones are NOT_FOUND', async () => {
    await using incomplete = await openDoors(nats, {
      all: { workflow: 'everything', node: 'else' },
    })
    const name = 'everything'
    expect((await callOip(incomplete, method.modelReady, { name })).response.ready).toBe(false)
    const { models } = (await callOip(incomplete, method.repositoryIndex, { ready: true })).response
    expect(models.map((model) => model.name)).toEqual(['demo-rt.tensors'])
    for (const wrong of [
      { name: 'nobody' },
      { name: 'tensors', version: 'v0' },
      { name: 'x.tensors' },
    ]) {
      expect((await callOip(scene, method.modelReady, wrong)).status).toBe(notFound)
      expect((await callOip(scene, method.modelMetadata, wrong)).status).toBe(notFound)
    }
    expect((await inferGrpc(tensorsRequest({}, { modelName: 'nobody' }))).status).toBe(notFound)
    expect((await inferGrpc(tensorsRequest({}, { modelVersion: 'v0' }))).status).toBe(notFound)
  })

  test('every datatype comes back as it was, and the id with it', async () => {
    const { status, message, response } = await inferGrpc(tensorsRequest({}, { id: 'mine' }))
    expect({ status, message }).toEqual({ status: 0, message: '' })
    expect(response).toMatchObject({
      modelName: 'tensors',
      modelVersion: scene.version,
      id: 'mine',
    })
    for (const [name, input] of Object.entries(VALUES)) {
      const output = response.outputs.find((each) => each.name === name)
      expect(output).toMatchObject({ datatype: input.datatype, shape: input.shape })
      expect(output?.contents).toMatchObject(input.contents ?? {})
    }
    expect(response.outputs.map(({ name }) => name)).not.toContain('maybe')
  })

  test('only the wanted outputs come, in the order they are wanted', async () => {
    const { response } = await inferGrpc(
      tensorsRequest({}, { outputs: [{ name: 'text' }, { name: 'ints' }] }),
    )
    expect(response.outputs.map(({ name }) => name)).toEqual(['text', 'ints'])
  })

  test('a raw request has a raw answer', async () => {
    const raw: [string, string, bigint, Buffer][] = [
      ['floats', 'FP32', 1n, Buffer.from('0000c03f', 'hex')],
      ['doubles', 'FP64', 0n, Buffer.alloc(0)],
      ['ints', 'INT32', 1n, Buffer.from('ffffffff', 'hex')],
      ['longs', 'INT64', 1n, Buffer.from('0100000000002000', 'hex')],
      ['uints', 'UINT32', 0n, Buffer.alloc(0)],
      ['ulongs', 'UINT64', 0n, Buffer.alloc(0)],
      ['flags', 'BOOL', 2n, Buffer.from('0100', 'hex')],
      ['texts', 'BYTES', 2n, Buffer.from('010000006100000000', 'hex')],
      ['blobs', 'BYTES', 0n, Buffer.alloc(0)],
      ['scalar', 'INT64', 1n, Buffer.alloc(8)],
      ['text', 'BYTES', 1n, Buffer.from('00000000', 'hex')],
    ]
    const { status, message, response } = await inferGrpc({
      modelName: 'tensors',
      inputs: raw.map(([name, datatype, size]) => ({ name, datatype, shape: [size] })),
      rawInputContents: raw.map(([, , , bytes]) => bytes),
    })
    expect({ status, message }).toEqual({ status: 0, message: '' })
    expect(response.rawOutputContents.map((bytes) => Buffer.from(bytes))).toEqual(
      raw.map(([, , , bytes]) => bytes),
    )
    expect(response.outputs.every(({ contents }) => contents === undefined)).toBe(true)
  })

  const floats = (input: Input): Request => tensorsRequest({ floats: input })
  test.each<[string, Request]>([
    [
      'an unknown datatype',
      floats({ datatype: 'FP8', shape: [1n], contents: { fp32Contents: [1] } }),
    ],
    [
      "another than the model's",
      floats({ datatype: 'FP64', shape: [1n], contents: { fp64Contents: [1] } }),
    ],
    [
      'FP16 outside of raw contents',
      floats({ datatype: 'FP16', shape: [1n], contents: { fp32Contents: [1] } }),
    ],
    [
      'less data than the shape',
      floats({ datatype: 'FP32', shape: [2n], contents: { fp32Contents: [1] } }),
    ],
    ['no data', floats({ datatype: 'FP32', shape: [2n] })],
    [
      'data in the wrong field',
      floats({ datatype: 'FP32', shape: [1n], contents: { fp64Contents: [1] } }),
    ],
    [
      'data in two fields',
      floats({ datatype: 'FP32', shape: [1n], contents: { fp32Contents: [1], fp64Contents: [1] } }),
    ],
    ['a negative size', floats({ datatype: 'FP32', shape: [-1n], contents: {} })],
    ['a size beyond all bounds', floats({ datatype: 'FP32', shape: [2n ** 62n], contents: {} })],
    [
      'another rank',
      floats({ datatype: 'FP32', shape: [1n, 1n], contents: { fp32Contents: [1] } }),
    ],
    ['no shape', floats({ datatype: 'FP32', shape: [], contents: { fp32Contents: [1] } })],
    [
      'several values for a scalar',
      tensorsRequest({
        scalar: { datatype: 'INT64', shape: [2n], contents: { int64Contents: [1n, 2n] } },
      }),
    ],
    ['a missing input', tensorsRequest({ floats: null })],
    ['no inputs', { modelName: 'tensors' }],
    ['an unknown input', tensorsRequest({ nobody: { datatype: 'FP32', shape: [0n] } })],
    [
      'an input twice',
      tensorsRequest(
        {},
        { inputs: [...(tensorsRequest().inputs ?? []), { name: 'floats', ...VALUES['floats'] }] },
      ),
    ],
    ['an unknown output', tensorsRequest({}, { outputs: [{ name: 'nobody' }] })],
    ['an output twice', tensorsRequest({}, { outputs: [{ name: 'ints' }, { name: 'ints' }] })],
    [
      'raw and contents',
      tensorsRequest({}, { rawInputContents: Array.from({ length: 11 }, () => Buffer.alloc(0)) }),
    ],
    ['too few raw contents', tensorsRequest({}, { rawInputContents: [Buffer.alloc(12)] })],
    [
      'a text that is not UTF-8',
      tensorsRequest({
        text: { datatype: 'BYTES', shape: [1n], contents: { bytesContents: [Buffer.of(255)] } },
      }),
    ],
    ['a parameter without a value', tensorsRequest({}, { parameters: { a: {} } })],
    [
      'a parameter whose name is no metadata',
      tensorsRequest(
        {},
        { parameters: { 'a b': { parameterChoice: { case: 'boolParam', value: true } } } },
      ),
    ],
    [
      'a wrong timeout_ms',
      tensorsRequest(
        {},
        { parameters: { timeout_ms: { parameterChoice: { case: 'stringParam', value: 'x' } } } },
      ),
    ],
  ])('%s is INVALID_ARGUMENT', async (_what, wanted) => {
    const { status, message } = await inferGrpc(wanted)
    expect({ status, hasText: message.length > 10 }).toEqual({ status: invalid, hasText: true })
  })

  test('what is no message of the protocol is INVALID_ARGUMENT, and an unknown rpc UNIMPLEMENTED', async () => {
    const path = '/inference.GRPCInferenceService/'
    const malformed = await scene.client.call(`${path}ModelInfer`, frame(Buffer.of(255)))
    expect(malformed.status).toBe(invalid)
    expect((await scene.client.call(`${path}TraceSetting`, frame(''))).status).toBe(12)
  })

  test('parameters become metadata, and an id that is a uuid the request id', async () => {
    const id = '7f1e5b5c-3b4d-4c8e-9d4a-2c1f7e6a5b40'
    const { requestId } = await inferGrpc(
      tensorsRequest(
        {},
        {
          id,
          parameters: {
            flag: { parameterChoice: { case: 'boolParam', value: true } },
            count: { parameterChoice: { case: 'int64Param', value: 2n ** 60n } },
            size: { parameterChoice: { case: 'uint64Param', value: 3n } },
            rate: { parameterChoice: { case: 'doubleParam', value: 0.5 } },
            name: { parameterChoice: { case: 'stringParam', value: 'blue' } },
            timeout_ms: { parameterChoice: { case: 'int64Param', value: 5000n } },
          },
        },
      ),
      { 'grpc-timeout': '8S', 'x-krt-tenant': 't' },
    )
    expect(requestId).toBe(id)
    const sent = scene.tensors.requests.find((each) => each.requestId === id)
    expect(sent?.metadata).toEqual({
      'x-krt-param-flag': 'true',
      'x-krt-param-count': '1152921504606846976',
      'x-krt-param-size': '3',
      'x-krt-param-rate': '0.5',
      'x-krt-param-name': 'blue',
      'x-krt-tenant': 't',
    })
    const left = (sent?.deadlineUnixMs ?? 0) - Date.now()
    expect(left).toBeLessThanOrEqual(5_001)
  })

  test('a message that is no tensors is one, as protobuf or JSON', async () => {
    const metadata = await callOip(scene, method.modelMetadata, { name: 'everything' })
    expect(metadata.response.inputs).toMatchObject([
      { name: 'request', datatype: 'BYTES', shape: [1n] },
    ])
    expect(metadata.response.outputs).toMatchObject([
      { name: 'response', datatype: 'BYTES', shape: [1n] },
    ])
    const ask = (bytes: string, type?: string) =>
      inferGrpc({
        modelName: 'everything',
        inputs: [
          {
            name: 'request',
            datatype: 'BYTES',
            shape: [1n],
            contents: { bytesContents: [Buffer.from(bytes)] },
            parameters:
              type === undefined
                ? {}
                : { content_type: { parameterChoice: { case: 'stringParam', value: type } } },
          },
        ],
      })
    const binary = await ask('\n\u0002hi')
    expect(
      Buffer.from(binary.response.outputs[0]?.contents?.bytesContents[0] ?? []).toString(),
    ).toBe('\n\u0002hi')
    const json = await ask('{"text": "hi", "int64": 9007199254740993}', 'application/json')
    const [output] = json.response.outputs
    expect(JSON.parse(String(Buffer.from(output?.contents?.bytesContents[0] ?? [])))).toMatchObject(
      { text: 'hi', int64: '9007199254740993' },
    )
    expect(output?.parameters['content_type']?.parameterChoice.value).toBe('application/json')
    expect((await ask('\u00ff')).status).toBe(invalid)
    expect((await ask('{', 'application/json')).status).toBe(invalid)
    expect((await ask('{}', 'text/plain')).status).toBe(invalid)
  })

  test('a deadline that passes cancels the work', async () => {
    await using silent = await openDoors(nats, { all: { handler: () => null } })
    const inputs = [
      {
        name: 'request',
        datatype: 'BYTES',
        shape: [1n],
        contents: { bytesContents: [Buffer.alloc(0)] },
      },
    ]
    const late = await callOip(
      silent,
      method.modelInfer,
      { modelName: 'everything', inputs },
      { 'grpc-timeout': '50m' },
    )
    expect(late.status).toBe(GRPC_STATUS['deadline-exceeded'])
    await waitUntil('cancelled', () => silent.all.cancelled.length === 1)
  })
})

test('nothing is held afterwards', async () => {
  await waitUntil('released', () => {
    const stats = scene.entrypoint.stats()
    return stats.bytes === 0 && stats.inFlight === 0 && stats.receiving === 0
  })
})
