import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS } from '@kre/contracts'
import {
  GRPCInferenceService,
  type ModelInferRequest_InferInputTensorSchema,
  type ModelInferRequestSchema,
} from '@kre/contracts/oip'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { type DoorsScene, openDoors } from '../../testing/doors-version.ts'
import { frame } from '../../testing/raw-client.ts'

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

type Input = MessageInitShape<typeof ModelInferRequest_InferInputTensorSchema>
type Request = MessageInitShape<typeof ModelInferRequestSchema>

type GrpcAnswer<M extends DescMethodUnary> = {
  status: number
  message: string
  response: MessageShape<M['output']>
  requestId: unknown
}

async function grpc<M extends DescMethodUnary>(
  { name, input, output }: M,
  request: MessageInitShape<M['input']>,
  headers: Record<string, string> = {},
  at: DoorsScene = scene,
): Promise<GrpcAnswer<M>> {
  const bytes = toBinary(input, create(input, request))
  const answer = await at.client.call(
    `/inference.GRPCInferenceService/${name}`,
    frame(bytes),
    headers,
  )
  const { status, message, payload, metadata } = answer
  return {
    status,
    message,
    response: fromBinary(output, payload) as MessageShape<M['output']>,
    requestId: metadata['request-id'],
  }
}

const VALUES: Record<string, Input> = {
  floats: { datatype: 'FP32', shape: [3n], contents: { fp32Contents: [1.5, NaN, Infinity] } },
  doubles: { datatype: 'FP64', shape: [2n], contents: { fp64Contents: [0.1, -Infinity] } },
  ints: { datatype: 'INT32', shape: [2n], contents: { intContents: [-(2 ** 31), 2 ** 31 - 1] } },
  longs: {
    datatype: 'INT64',
    shape: [2n],
    contents: { int64Contents: [-(2n ** 63n), 2n ** 53n + 1n] },
  },
  uints: { datatype: 'UINT32', shape: [1n], contents: { uintContents: [2 ** 32 - 1] } },
  ulongs: { datatype: 'UINT64', shape: [1n], contents: { uint64Contents: [2n ** 64n - 1n] } },
  flags: { datatype: 'BOOL', shape: [2n], contents: { boolContents: [true, false] } },
  texts: {
    datatype: 'BYTES',
    shape: [2n],
    contents: { bytesContents: [Buffer.from('ä'), Buffer.alloc(0)] },
  },
  blobs: { datatype: 'BYTES', shape: [1n], contents: { bytesContents: [Buffer.of(0, 255)] } },
  scalar: { datatype: 'INT64', shape: [1n], contents: { int64Contents: [7n] } },
  text: { datatype: 'BYTES', shape: [1n], contents: { bytesContents: [Buffer.from('hi')] } },
}

/** A whole request, with some inputs as told; null = left out. */
function request(changes: Record<string, Input | null> = {}, more: Request = {}): Request {
  const inputs = Object.entries({ ...VALUES, ...changes })
    .filter((entry): entry is [string, Input] => entry[1] !== null)
    .map(([name, input]) => ({ name, ...input }))
  return { modelName: 'tensors', inputs, ...more }
}

const inferGrpc = (wanted: Request, headers?: Record<string, string>) =>
  grpc(method.modelInfer, wanted, headers)

describe('gRPC', () => {
  test('tells of the server and its models', async () => {
    expect((await grpc(method.serverLive, {})).response.live).toBe(true)
    expect((await grpc(method.serverReady, {})).response.ready).toBe(true)
    expect((await grpc(method.serverMetadata, {})).response).toMatchObject({ name: 'kre' })
    for (const name of ['tensors', 'demo-rt.tensors'])
      expect((await grpc(method.modelReady, { name, version: scene.version })).response.ready).toBe(
        true,
      )
    const { response } = await grpc(method.modelMetadata, { name: 'tensors' })
    expect(response).toMatchObject({ name: 'tensors', versions: [scene.version], platform: 'kre' })
    expect(response.inputs.slice(0, 2)).toMatchObject([
      { name: 'floats', datatype: 'FP32', shape: [-1n] },
      { name: 'doubles', datatype: 'FP64', shape: [-1n] },
    ])
    expect(response.inputs.at(-1)).toMatchObject({ name: 'maybe', datatype: 'FP32', shape: [1n] })
    expect((await grpc(method.repositoryIndex, {})).response.models).toMatchObject([
      { name: 'demo-rt.everything', version: scene.version, state: 'READY' },
      { name: 'demo-rt.tensors', version: scene.version, state: 'READY' },
    ])
  })

  test('a model is not ready while a node is missing, and unknown ones are NOT_FOUND', async () => {
    await using incomplete = await openDoors(nats, {
      all: { workflow: 'everything', node: 'else' },
    })
    const name = 'everything'
    expect((await grpc(method.modelReady, { name }, {}, incomplete)).response.ready).toBe(false)
    const { models } = (await grpc(method.repositoryIndex, { ready: true }, {}, incomplete))
      .response
    expect(models.map((model) => model.name)).toEqual(['demo-rt.tensors'])
    for (const wrong of [
      { name: 'nobody' },
      { name: 'tensors', version: 'v0' },
      { name: 'x.tensors' },
    ]) {
      expect((await grpc(method.modelReady, wrong)).status).toBe(notFound)
      expect((await grpc(method.modelMetadata, wrong)).status).toBe(notFound)
    }
    expect((await inferGrpc(request({}, { modelName: 'nobody' }))).status).toBe(notFound)
    expect((await inferGrpc(request({}, { modelVersion: 'v0' }))).status).toBe(notFound)
  })

  test('every datatype comes back as it was, and the id with it', async () => {
    const { status, message, response } = await inferGrpc(request({}, { id: 'mine' }))
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
      request({}, { outputs: [{ name: 'text' }, { name: 'ints' }] }),
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

  const floats = (input: Input): Request => request({ floats: input })
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
      request({
        scalar: { datatype: 'INT64', shape: [2n], contents: { int64Contents: [1n, 2n] } },
      }),
    ],
    ['a missing input', request({ floats: null })],
    ['no inputs', { modelName: 'tensors' }],
    ['an unknown input', request({ nobody: { datatype: 'FP32', shape: [0n] } })],
    [
      'an input twice',
      request(
        {},
        { inputs: [...(request().inputs ?? []), { name: 'floats', ...VALUES['floats'] }] },
      ),
    ],
    ['an unknown output', request({}, { outputs: [{ name: 'nobody' }] })],
    ['an output twice', request({}, { outputs: [{ name: 'ints' }, { name: 'ints' }] })],
    [
      'raw and contents',
      request({}, { rawInputContents: Array.from({ length: 11 }, () => Buffer.alloc(0)) }),
    ],
    ['too few raw contents', request({}, { rawInputContents: [Buffer.alloc(12)] })],
    [
      'a text that is not UTF-8',
      request({
        text: { datatype: 'BYTES', shape: [1n], contents: { bytesContents: [Buffer.of(255)] } },
      }),
    ],
    ['a parameter without a value', request({}, { parameters: { a: {} } })],
    [
      'a parameter whose name is no metadata',
      request(
        {},
        { parameters: { 'a b': { parameterChoice: { case: 'boolParam', value: true } } } },
      ),
    ],
    [
      'a wrong timeout_ms',
      request(
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
    expect((await scene.client.call(`${path}ModelConfig`, frame(''))).status).toBe(12)
  })

  test('parameters become metadata, and an id that is a uuid the request id', async () => {
    const id = '7f1e5b5c-3b4d-4c8e-9d4a-2c1f7e6a5b40'
    const { requestId } = await inferGrpc(
      request(
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
    const metadata = await grpc(method.modelMetadata, { name: 'everything' })
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
    const late = await grpc(
      method.modelInfer,
      { modelName: 'everything', inputs },
      { 'grpc-timeout': '50m' },
      silent,
    )
    expect(late.status).toBe(GRPC_STATUS['deadline-exceeded'])
    await waitUntil('cancelled', () => silent.all.cancelled.length === 1)
  })
})

describe('REST', () => {
  const send = async (path: string, init: RequestInit = {}, url = scene.url) => {
    const response = await fetch(url + path, init)
    const bytes = Buffer.from(await response.arrayBuffer())
    const length = response.headers.get('inference-header-content-length')
    const json = String(length === null ? bytes : bytes.subarray(0, Number(length)))
    const binary = length === null ? Buffer.alloc(0) : bytes.subarray(Number(length))
    return {
      status: response.status,
      headers: response.headers,
      text: json,
      json: JSON.parse(json) as Record<string, unknown>,
      binary,
    }
  }
  const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', body: Buffer.from(body), headers })
  const INPUTS: Record<
    string,
    { datatype: string; shape: unknown; data?: unknown; parameters?: object }
  > = {
    floats: { datatype: 'FP32', shape: [2], data: [1.5, 2] },
    doubles: { datatype: 'FP64', shape: [1], data: [0.1] },
    ints: { datatype: 'INT32', shape: [1], data: [-5] },
    longs: { datatype: 'INT64', shape: [0], data: [] },
    uints: { datatype: 'UINT32', shape: [1], data: [4294967295] },
    ulongs: { datatype: 'UINT64', shape: [0], data: [] },
    flags: { datatype: 'BOOL', shape: [1], data: [true] },
    texts: { datatype: 'BYTES', shape: [2], data: ['ä', ''] },
    blobs: { datatype: 'BYTES', shape: [0], data: [] },
    scalar: { datatype: 'INT64', shape: [1], data: [1] },
    text: { datatype: 'BYTES', shape: [1], data: ['hi'] },
  }
  const body = (changes: Partial<typeof INPUTS> = {}, more: object = {}) =>
    JSON.stringify({
      inputs: Object.entries({ ...INPUTS, ...changes })
        .filter(([, input]) => input !== undefined)
        .map(([name, input]) => ({ name, ...input })),
      ...more,
    })
  const infer = (text: string | Buffer, headers?: Record<string, string>) =>
    post('/v2/models/tensors/infer', text, headers)

  test('tells of the server and its models', async () => {
    expect(await send('/v2/health/live')).toMatchObject({ status: 200, json: { live: true } })
    expect(await send('/v2/health/ready')).toMatchObject({ status: 200, json: { ready: true } })
    for (const path of ['/v2', '/v2/'])
      expect(await send(path)).toMatchObject({
        status: 200,
        json: { name: 'kre', extensions: ['binary_tensor_data', 'model_repository'] },
      })
    for (const path of [
      '/v2/models/tensors',
      `/v2/models/demo-rt.tensors/versions/${scene.version}`,
    ]) {
      expect(await send(path)).toMatchObject({
        status: 200,
        json: { versions: [scene.version], platform: 'kre' },
      })
      expect(await send(`${path}/ready`)).toMatchObject({ status: 200, json: { ready: true } })
    }
    const index = await post('/v2/repository/index', '{"ready": true}')
    expect(index.json).toMatchObject([
      { name: 'demo-rt.everything', state: 'READY' },
      { name: 'demo-rt.tensors' },
    ])
    expect(await post('/v2/repository/models/tensors/load', '{}')).toMatchObject({ status: 501 })
  })

  test('infers, with and without a version, flat and nested', async () => {
    const { status, json } = await post(
      `/v2/models/tensors/versions/${scene.version}/infer`,
      body({}, { id: 'mine' }),
    )
    expect(status).toBe(200)
    expect(json).toMatchObject({ model_name: 'tensors', model_version: scene.version, id: 'mine' })
    const outputs = json['outputs'] as { name: string }[]
    for (const [name, input] of Object.entries(INPUTS))
      expect(outputs.find((each) => each.name === name)).toEqual({ name, ...input })
  })

  test('integers of 64 bits are exact both ways', async () => {
    const text = body().replace(
      '"shape":[0],"data":[]},{"name":"uints"',
      '"shape":[2],"data":[9223372036854775807,-9007199254740993]},{"name":"uints"',
    )
    const answer = await infer(text)
    expect(answer.text).toContain('"data":[9223372036854775807,-9007199254740993]')
  })

  test('binary tensors come in behind the JSON and go out behind it', async () => {
    const json = body(
      {
        floats: { datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } },
        texts: { datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 5 } },
      },
      {
        parameters: { binary_data_output: true },
        outputs: [
          { name: 'floats' },
          { name: 'ints', parameters: { binary_data: false } },
          { name: 'texts' },
        ],
      },
    )
    const binary = Buffer.from('0000c03f0000c07f0100000061', 'hex')
    const answer = await infer(Buffer.concat([Buffer.from(json), binary]), {
      'inference-header-content-length': String(Buffer.byteLength(json)),
    })
    expect(answer.status).toBe(200)
    expect(answer.json['outputs']).toEqual([
      { name: 'floats', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } },
      { name: 'ints', datatype: 'INT32', shape: [1], data: [-5] },
      { name: 'texts', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 5 } },
    ])
    expect(answer.binary).toEqual(binary)
  })

  test('what JSON has no form for is refused, not changed', async () => {
    const binary = Buffer.from('0000c07f', 'hex')
    const json = body({
      floats: { datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } },
    })
    const answer = await infer(Buffer.concat([Buffer.from(json), binary]), {
      'inference-header-content-length': String(Buffer.byteLength(json)),
    })
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringContaining('NaN') } })
  })

  const floats = (input: object) => body({ floats: { datatype: 'FP32', shape: [1], ...input } })
  test.each<[string, string, Record<string, string>?]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no inputs', '{}'],
    ['inputs that are no list', '{"inputs": {}}'],
    ['an input that is no object', '{"inputs": [1]}'],
    ['an input without a name', '{"inputs": [{"datatype": "FP32", "shape": [1], "data": [1]}]}'],
    ['no datatype', floats({ datatype: undefined, data: [1] })],
    ['an unknown datatype', floats({ datatype: 'fp32', data: [1] })],
    ['FP16 in JSON', floats({ datatype: 'FP16', data: [1] })],
    ['no shape', floats({ shape: undefined, data: [1] })],
    ['a negative size', floats({ shape: [-1], data: [1] })],
    ['a size that is text', floats({ shape: ['1'], data: [1] })],
    ['a fraction of a size', floats({ shape: [1.5], data: [1] })],
    ['no data', floats({})],
    ['data that is no list', floats({ data: 1 })],
    ['too much data', floats({ data: [1, 2] })],
    ['nested data of another shape', floats({ shape: [2], data: [[1, 2]] })],
    ['a text for a number', floats({ data: ['NaN'] })],
    ['null', floats({ data: [null] })],
    ['a float beyond its range', floats({ data: [1e39] })],
    ['a fraction for an integer', body({ ints: { datatype: 'INT32', shape: [1], data: [1.5] } })],
    [
      'an integer beyond its range',
      body({ ints: { datatype: 'INT32', shape: [1], data: [2147483648] } }),
    ],
    ['an integer beyond 64 bits', body().replace('"data":[1]', '"data":[9223372036854775808]')],
    ['a number for a bool', body({ flags: { datatype: 'BOOL', shape: [1], data: [1] } })],
    ['a number for a text', body({ text: { datatype: 'BYTES', shape: [1], data: [1] } })],
    ['half a character', body().replace('"hi"', String.raw`"\ud800"`)],
    ['an id that is no text', body({}, { id: 1 })],
    ['a parameter that is an object', body({}, { parameters: { a: {} } })],
    ['an unknown output', body({}, { outputs: [{ name: 'nobody' }] })],
    [
      'an output asked for in shared memory',
      body({}, { outputs: [{ name: 'ints', parameters: { shared_memory_region: 'x' } }] }),
    ],
    ['binary data that is not there', floats({ parameters: { binary_data_size: 4 } })],
    ['a wrong header length', body(), { 'inference-header-content-length': '9999999' }],
    ['a header length that is no number', body(), { 'inference-header-content-length': '-1' }],
    [
      'bytes that belong to nobody',
      `${body()}xx`,
      { 'inference-header-content-length': String(Buffer.byteLength(body())) },
    ],
  ])('%s is 400 with an error', async (_what, ...[text, headers]) => {
    const { status, json } = await infer(text, headers)
    expect({ status, keys: Object.keys(json) }).toEqual({ status: 400, keys: ['error'] })
  })

  test('unknown models, paths and methods have the same form of error', async () => {
    const error = expect.any(String)
    for (const path of [
      '/v2/models/nobody',
      '/v2/models/nobody/ready',
      '/v2/models/tensors/versions/v0',
    ])
      expect(await send(path)).toMatchObject({ status: 404, json: { error } })
    expect(await post('/v2/models/nobody/infer', '{}')).toMatchObject({
      status: 404,
      json: { error },
    })
    expect(await send('/v2/models/tensors/infer')).toMatchObject({ status: 405, json: { error } })
    expect(await send('/v2/models/%zz')).toMatchObject({ status: 400, json: { error } })
    expect(await send('/v2/nothing')).toMatchObject({ status: 404, json: { error } })
    const large = await infer(Buffer.alloc(700_000, ' '))
    expect(large).toMatchObject({ status: 413, json: { error } })
  })

  test('a model that is not ready is 503, and a deadline 504', async () => {
    await using incomplete = await openDoors(nats, {
      all: { workflow: 'everything', node: 'else' },
    })
    expect(await send('/v2/models/everything/ready', {}, incomplete.url)).toMatchObject({
      status: 503,
      json: { name: 'everything', ready: false },
    })
    const init = {
      method: 'POST',
      body: JSON.stringify({
        parameters: { timeout_ms: 30 },
        inputs: [{ name: 'request', datatype: 'BYTES', shape: [1], data: ['{}'] }],
      }),
    }
    expect(await send('/v2/models/everything/infer', init, incomplete.url)).toMatchObject({
      status: 504,
      json: { error: expect.any(String) },
    })
  })

  test('a message that is no tensors is JSON in JSON', async () => {
    const request = {
      inputs: [{ name: 'request', datatype: 'BYTES', shape: [1], data: ['{"text": "hi"}'] }],
    }
    const { json } = await post('/v2/models/everything/infer', JSON.stringify(request))
    const [output] = json['outputs'] as [{ data: string[]; parameters: object }]
    expect(JSON.parse(output.data[0] ?? '')).toMatchObject({ text: 'hi' })
    expect(output.parameters).toEqual({ content_type: 'application/json' })
  })
})

test('nothing is held afterwards', async () => {
  await waitUntil('released', () => {
    const stats = scene.entrypoint.stats()
    return stats.bytes === 0 && stats.inFlight === 0 && stats.receiving === 0
  })
})
