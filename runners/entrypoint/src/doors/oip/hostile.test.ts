/** Requests of the Open Inference Protocol that lie: each gets the right status, and nothing is held afterwards. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GRPC_STATUS, MiB } from '@kre/contracts'
import { GRPCInferenceService, ModelInferRequestSchema } from '@kre/contracts/oip'
import { toKreError } from '@kre/contracts/runtime'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import fc from 'fast-check'
import { type DoorsScene, openDoors } from '../../testing/doors-version.ts'
import { frame } from '../../testing/raw-client.ts'
import { datatypeOf, type Element } from './datatype.ts'
import { readGrpcInference } from './grpc-inference.ts'
import { decodeRaw, encodeRaw } from './raw-tensor.ts'
import { readRestInference } from './rest-request.ts'
import { callOip, type Input, type Request, tensorsRequest } from './testing/oip-grpc-client.ts'
import { restBody, sendRest } from './testing/oip-rest-client.ts'

const { method } = GRPCInferenceService
const INVALID = GRPC_STATUS['invalid-argument']

let nats: TestNats
let scene: DoorsScene
beforeAll(async () => {
  nats = await startNats()
  scene = await openDoors(nats, { launch: { payloadBytesMax: 4 * MiB } })
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
  await nats[Symbol.asyncDispose]()
})

const bytesTensor = (raw: string): Request => ({
  modelName: 'everything',
  inputs: [{ name: 'request', datatype: 'BYTES', shape: [1n] }],
  rawInputContents: [Buffer.from(raw, 'hex')],
})
const floats = (shape: bigint[], contents: Input['contents']): Request =>
  tensorsRequest({ floats: { datatype: 'FP32', shape, ...(contents ? { contents } : {}) } })

describe('over gRPC', () => {
  const one = { fp32Contents: [1] }
  test.each<[string, Request]>([
    ['a shape whose product overflows 64 bits', floats([2n ** 32n, 2n ** 32n], one)],
    ['a shape whose product overflows to the right number', floats([2n ** 62n, 4n], {})],
    ['a shape whose product is 1 by its signs', floats([-1n, -1n], one)],
    ['a size of the smallest 64-bit number', floats([-(2n ** 63n)], one)],
    ['a size beyond doubles', floats([2n ** 53n + 1n], one)],
    [
      'a thousand dimensions',
      floats(
        Array.from({ length: 1_000 }, () => 1n),
        one,
      ),
    ],
    ['no elements by a zero, and a size beyond all bounds', floats([0n, 2n ** 62n], {})],
    ['an element more than the shape', floats([0n], one)],
    ['integers in the field of longer ones', floats([1n], { int64Contents: [1n] })],
    ['a BYTES prefix of 4 GiB', bytesTensor('ffffffff00')],
    ['a BYTES prefix that is cut', bytesTensor('0100')],
    ['a BYTES element that is cut', bytesTensor('0200000061')],
    ['a BYTES element too many', bytesTensor('0000000000000000')],
    ['no BYTES element', bytesTensor('')],
    [
      'raw contents for no inputs',
      { modelName: 'tensors', rawInputContents: [Buffer.alloc(4), Buffer.alloc(4)] },
    ],
    [
      'an output in shared memory',
      tensorsRequest(
        {},
        {
          outputs: [
            {
              name: 'ints',
              parameters: {
                shared_memory_region: { parameterChoice: { case: 'stringParam', value: 'x' } },
              },
            },
          ],
        },
      ),
    ],
    ['an input with a name of a megabyte', tensorsRequest({ ['x'.repeat(MiB)]: { shape: [0n] } })],
    ['a datatype of a megabyte', floats([1n], undefined)],
  ])('%s is INVALID_ARGUMENT', async (what, request) => {
    const input = request.inputs?.[0]
    if (what.startsWith('a datatype') && input !== undefined) input.datatype = 'x'.repeat(MiB)
    const { status, message } = await callOip(scene, method.modelInfer, request)
    expect({ status, length: message.length < 5_000 }).toEqual({ status: INVALID, length: true })
  })

  test('an id of a megabyte comes back whole', async () => {
    const id = 'ä'.repeat(MiB / 2)
    const { status, response } = await callOip(scene, method.modelInfer, tensorsRequest({}, { id }))
    expect(status).toBe(0)
    expect(response.id).toBe(id)
  })

  test('bytes that were a request are one, or refused, and never break anything', async () => {
    const valid = toBinary(
      ModelInferRequestSchema,
      create(ModelInferRequestSchema, tensorsRequest()),
    )
    const found = new Set<number>()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(valid.length),
        async (changes, length) => {
          const bytes = Uint8Array.from(valid)
          for (const [at, value] of changes) bytes[at] = value
          const cut = length % 3 === 0 ? bytes.subarray(0, length) : bytes
          const path = '/inference.GRPCInferenceService/ModelInfer'
          const { status } = await scene.client.call(path, frame(cut))
          found.add(status)
          expect([0, INVALID, GRPC_STATUS['not-found']]).toContain(status)
        },
      ),
      { numRuns: 150 },
    )
    expect(found.size).toBeGreaterThan(1)
  })
})

describe('over REST', () => {
  const send = (body: Uint8Array | string, headers: Record<string, string> = {}) =>
    sendRest(scene, '/v2/models/tensors/infer', {
      method: 'POST',
      body: Buffer.from(body),
      headers,
    })
  const sized = (binary_data_size: unknown, shape: unknown = [1]) =>
    restBody({ floats: { datatype: 'FP32', shape, parameters: { binary_data_size } as object } })

  test.each<unknown>([-4, 3, 5, 4.5, '4', true, 2 ** 53, 1e300, -0.5])(
    'a binary_data_size of %p for 4 bytes is 400',
    async (size) => {
      const json = Buffer.from(sized(size))
      const body = Buffer.concat([json, Buffer.alloc(4)])
      const { status } = await send(body, { 'inference-header-content-length': `${json.length}` })
      expect(status).toBe(400)
    },
  )

  test.each(['', '-1', '+5', ' 5', '1e3', '0x10', '0', '5', '99999999999', '1.0', '1, 1'])(
    'an Inference-Header-Content-Length of "%s" is 400',
    async (length) => {
      const { status, json } = await send(restBody(), { 'inference-header-content-length': length })
      expect({ status, keys: Object.keys(json) }).toEqual({ status: 400, keys: ['error'] })
    },
  )

  test.each<[string, string]>([
    ['a shape whose product overflows', sized(4, [4294967296, 4294967296])],
    ['a shape beyond 64 bits', sized(4, [1]).replace('"shape":[1]', '"shape":[1e400]')],
    ['a shape of texts', sized(4, ['1'])],
    ['a shape that is nested', sized(4, [[1]])],
    ['nesting without end', `${'['.repeat(100_000)}`],
    ['Infinity', restBody().replace('[1.5,2]', '[Infinity]')],
    ['a number beyond all doubles', restBody().replace('[1.5,2]', '[1e999,1]')],
    ['a key twice', restBody().replace('"inputs"', '"inputs":[],"inputs"')],
    ['an input called __proto__', restBody().replace('"floats"', '"__proto__"')],
    ['a name of a megabyte', restBody().replace('"floats"', `"${'x'.repeat(MiB)}"`)],
    [
      'an integer parameter beyond 64 bits',
      restBody({}, { parameters: { a: 1 } }).replace('"a":1', '"a":18446744073709551616'),
    ],
    [
      'a parameter beyond all doubles',
      restBody({}, { parameters: { a: 1 } }).replace('"a":1', '"a":1e999'),
    ],
    ['a parameter with a line end', restBody({}, { parameters: { a: 'x\r\ny: z' } })],
  ])('%s is 400 with a short error', async (_what, body) => {
    const { status, text } = await send(body)
    expect({ status, isShort: text.length < 5_000 }).toEqual({ status: 400, isShort: true })
  })

  test('an id of a megabyte comes back whole', async () => {
    const id = 'ä'.repeat(MiB / 2)
    const { status, json } = await send(restBody({}, { id }))
    expect({ status, isSame: json['id'] === id }).toEqual({ status: 200, isSame: true })
  })
})

describe('readers', () => {
  /** Runs it; what it throws has to be the caller's fault. */
  const blamesCaller = (work: () => unknown) => {
    try {
      work()
    } catch (error) {
      expect(toKreError(error)).toMatchObject({ code: 'invalid-argument' })
    }
  }

  test('raw tensors come back as they were', () => {
    const cases: [string, fc.Arbitrary<Element>][] = [
      ['BOOL', fc.boolean()],
      ['INT32', fc.integer()],
      ['UINT32', fc.nat()],
      ['INT64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
      ['UINT64', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
      ['FP32', fc.float()],
      ['FP64', fc.double()],
      ['BYTES', fc.uint8Array()],
    ]
    for (const [name, element] of cases) {
      const datatype = datatypeOf(name)
      if (datatype === undefined) throw new Error(name)
      fc.assert(
        fc.property(fc.array(element), (elements) => {
          const raw = encodeRaw(datatype, elements)
          expect(decodeRaw(datatype, raw, elements.length, 'x')).toEqual(elements)
        }),
      )
    }
  })

  test('any bytes are a raw tensor or the fault of their sender', () => {
    const names = fc.constantFrom('BOOL', 'INT8', 'INT64', 'FP16', 'FP32', 'BYTES')
    fc.assert(
      fc.property(names, fc.uint8Array(), fc.nat(2 ** 31), (name, bytes, count) => {
        const datatype = datatypeOf(name)
        if (datatype !== undefined) blamesCaller(() => decodeRaw(datatype, bytes, count, 'x'))
      }),
    )
  })

  test('any JSON is a request or the fault of its sender', () => {
    const shape = fc.array(fc.oneof(fc.maxSafeInteger(), fc.double(), fc.constant(1)))
    const input = fc.record(
      {
        name: fc.oneof(fc.constant('floats'), fc.string()),
        datatype: fc.constantFrom('FP32', 'INT64', 'BYTES', 'BOOL', 'FP16', 'x'),
        shape: fc.oneof(shape, fc.jsonValue()),
        data: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
        parameters: fc.oneof(fc.record({ binary_data_size: fc.jsonValue() }), fc.jsonValue()),
      },
      { requiredKeys: ['name', 'datatype', 'shape'] },
    )
    const body = fc.record({
      id: fc.jsonValue(),
      inputs: fc.oneof(fc.array(input), fc.jsonValue()),
      outputs: fc.oneof(fc.array(fc.record({ name: fc.string() })), fc.jsonValue()),
    })
    const length = fc.option(fc.string(), { nil: undefined })
    fc.assert(
      fc.property(body, fc.uint8Array(), length, (json, behind, jsonLength) => {
        const head = Buffer.from(JSON.stringify(json))
        const whole = Buffer.concat([head, behind])
        blamesCaller(() => readRestInference(whole, jsonLength ?? String(head.length)))
      }),
    )
  })

  test('any message is an inference or the fault of its sender', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        blamesCaller(() => {
          let message
          try {
            message = fromBinary(ModelInferRequestSchema, bytes)
          } catch {
            return // the library's own refusal
          }
          readGrpcInference(message)
        })
      }),
    )
  })
})

test('nothing is held afterwards', async () => {
  await waitUntil('released', () => {
    const { bytes, inFlight, receiving } = scene.entrypoint.stats()
    return bytes === 0 && inFlight === 0 && receiving === 0
  })
})
