import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { waitUntil } from '@kre/service-kit'
import { type DoorsScene, openDoors } from '../../testing/doors-version.ts'
import { REST_INPUTS, restBody, sendRest } from './testing/oip-rest-client.ts'

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

const send = (path: string, init?: RequestInit, at: DoorsScene = scene) => sendRest(at, path, init)
const post = (path: string, text: string | Buffer, headers: Record<string, string> = {}) =>
  send(path, { method: 'POST', body: Buffer.from(text), headers })
const infer = (text: string | Buffer, headers?: Record<string, string>) =>
  post('/v2/models/tensors/infer', text, headers)

describe('REST', () => {
  test('tells of the server and its models', async () => {
    expect(await send('/v2/health/live')).toMatchObject({ status: 200, json: { live: true } })
    expect(await send('/v2/health/ready')).toMatchObject({ status: 200, json: { ready: true } })
    for (const path of ['/v2', '/v2/'])
      expect(await send(path)).toMatchObject({
        status: 200,
        json: {
          name: 'kre',
          extensions: expect.arrayContaining(['binary_tensor_data', 'generate']),
        },
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
      restBody({}, { id: 'mine' }),
    )
    expect(status).toBe(200)
    expect(json).toMatchObject({ model_name: 'tensors', model_version: scene.version, id: 'mine' })
    const outputs = json['outputs'] as { name: string }[]
    for (const [name, input] of Object.entries(REST_INPUTS))
      expect(outputs.find((each) => each.name === name)).toEqual({ name, ...input })
  })

  test('integers of 64 bits are exact both ways', async () => {
    const text = restBody().replace(
      '"shape":[0],"data":[]},{"name":"uints"',
      '"shape":[2],"data":[9223372036854775807,-9007199254740993]},{"name":"uints"',
    )
    const answer = await infer(text)
    expect(answer.text).toContain('"data":[9223372036854775807,-9007199254740993]')
  })

  test('binary tensors come in behind the JSON and go out behind it', async () => {
    const json = restBody(
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
    const json = restBody({
      floats: { datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } },
    })
    const answer = await infer(Buffer.concat([Buffer.from(json), binary]), {
      'inference-header-content-length': String(Buffer.byteLength(json)),
    })
    expect(answer).toMatchObject({ status: 400, json: { error: expect.stringContaining('NaN') } })
  })

  const floats = (input: object) => restBody({ floats: { datatype: 'FP32', shape: [1], ...input } })
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
    [
      'a fraction for an integer',
      restBody({ ints: { datatype: 'INT32', shape: [1], data: [1.5] } }),
    ],
    [
      'an integer beyond its range',
      restBody({ ints: { datatype: 'INT32', shape: [1], data: [2147483648] } }),
    ],
    ['an integer beyond 64 bits', restBody().replace('"data":[1]', '"data":[9223372036854775808]')],
    ['a number for a bool', restBody({ flags: { datatype: 'BOOL', shape: [1], data: [1] } })],
    ['a number for a text', restBody({ text: { datatype: 'BYTES', shape: [1], data: [1] } })],
    ['half a character', restBody().replace('"hi"', String.raw`"\ud800"`)],
    ['an id that is no text', restBody({}, { id: 1 })],
    ['a parameter that is an object', restBody({}, { parameters: { a: {} } })],
    ['an unknown output', restBody({}, { outputs: [{ name: 'nobody' }] })],
    [
      'an output asked for in shared memory',
      restBody({}, { outputs: [{ name: 'ints', parameters: { shared_memory_region: 'x' } }] }),
    ],
    ['binary data that is not there', floats({ parameters: { binary_data_size: 4 } })],
    ['a wrong header length', restBody(), { 'inference-header-content-length': '9999999' }],
    ['a header length that is no number', restBody(), { 'inference-header-content-length': '-1' }],
    [
      'bytes that belong to nobody',
      `${restBody()}xx`,
      { 'inference-header-content-length': String(Buffer.byteLength(restBody())) },
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
    expect(await send('/v2/models/everything/ready', {}, incomplete)).toMatchObject({
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
    expect(await send('/v2/models/everything/infer', init, incomplete)).toMatchObject({
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
