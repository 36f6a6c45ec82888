/** The codec against the protobuf library: what one writes the other reads, for every kind of field and tensor. */
import {
  create,
  createFileRegistry,
  fromBinary,
  toBinary,
  type DescMessage,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { describe, expect, test } from '@jest/globals'
import {
  planTensors,
  readMessageCatalog,
  type TensorPlan,
  type TensorSignature,
  type TensorType,
} from '@kre/contracts/model'
import fc from 'fast-check'
import { fromHalf, toHalf } from './half-float.ts'
import { createTensorCodec } from './tensor-codec.ts'
import type { TensorData, Tensors } from './tensor.ts'

/** Numbers of `FieldDescriptorProto.Type`. */
const KINDS = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
} as const
type Kind = keyof typeof KINDS

/** `One` has a packed list of each kind, `Loose` the same unpacked, `Single` one value of each. */
const field = (kind: Kind, at: number, label: number, packed?: boolean) => ({
  name: kind,
  // Numbers of one, two and three bytes.
  number: at < 5 ? at + 1 : at < 10 ? at + 100 : at + 5_000,
  type: KINDS[kind],
  label,
  jsonName: kind,
  ...(packed === undefined || kind === 'string' || kind === 'bytes' ? {} : { options: { packed } }),
})
const kinds = Object.keys(KINDS) as Kind[]
const SET = create(FileDescriptorSetSchema, {
  file: [
    {
      name: 'kinds.proto',
      package: 'kinds',
      syntax: 'proto3',
      messageType: [
        {
          name: 'Packed',
          field: kinds.map((kind, at) => field(kind, at, kind === 'bytes' ? 1 : 3, true)),
        },
        {
          name: 'Loose',
          field: kinds.map((kind, at) => field(kind, at, kind === 'bytes' ? 1 : 3, false)),
        },
        { name: 'Single', field: kinds.map((kind, at) => field(kind, at, 1)) },
        {
          name: 'Outer',
          field: [
            {
              name: 'inner',
              number: 3,
              type: 11,
              label: 1,
              typeName: '.kinds.Packed',
              jsonName: 'inner',
            },
            { name: 'note', number: 4, type: 9, label: 1, jsonName: 'note' },
          ],
        },
      ],
    },
  ],
})
const registry = createFileRegistry(SET)
const catalog = readMessageCatalog(toBinary(FileDescriptorSetSchema, SET))
const schema = (name: string) => registry.getMessage(`kinds.${name}`) as DescMessage
const encode = (name: string, fields: object) =>
  toBinary(schema(name), create(schema(name), fields as never))

function plan(
  from: [message: string, field: string],
  type: TensorType,
  to: [message: string, field: string],
  shape: TensorSignature['shape'] = ['n'],
): TensorPlan {
  const result = planTensors({
    signature: { inputs: [{ name: 'x', type, shape }], outputs: [{ name: 'y', type, shape }] },
    catalog,
    mapping: {
      input: from[0],
      output: to[0],
      inputs: { x: { field: from[1], shape: null } },
      outputs: { y: { field: to[1], shape: null } },
    },
    requestType: null,
    responseType: null,
  })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.plan
}

/** Through the codec and an identity in place of the model. */
function pass(message: Uint8Array, plan_: TensorPlan): { tensors: Tensors; answer: Uint8Array } {
  const codec = createTensorCodec(plan_)
  const input = codec.decode(message)
  const x = input.tensors['x']
  return { tensors: input.tensors, answer: codec.encode(input, x === undefined ? {} : { y: x }) }
}

const int = (bits: number, signed: boolean) =>
  fc.bigInt(
    signed
      ? { min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }
      : { min: 0n, max: 2n ** BigInt(bits) - 1n },
  )
const small = (bits: number, signed: boolean) => int(bits, signed).map(Number)
/** Kind of field, the tensor that holds all of its values, and these. */
const CASES: readonly [Kind, TensorType, fc.Arbitrary<unknown>][] = [
  ['double', 'float64', fc.double()],
  ['float', 'float32', fc.float()],
  ['int64', 'int64', int(64, true)],
  ['sint64', 'int64', int(64, true)],
  ['sfixed64', 'int64', int(64, true)],
  ['uint64', 'uint64', int(64, false)],
  ['fixed64', 'uint64', int(64, false)],
  ['int32', 'int32', small(32, true)],
  ['sint32', 'int64', small(32, true)],
  ['sfixed32', 'int32', small(32, true)],
  ['uint32', 'uint32', small(32, false)],
  ['fixed32', 'uint32', small(32, false)],
  ['int32', 'int8', small(8, true)],
  ['uint32', 'uint16', small(16, false)],
  ['bool', 'bool', fc.boolean()],
  ['string', 'string', fc.string({ unit: 'grapheme' })],
]

describe('createTensorCodec', () => {
  test.each(CASES)('carries lists of %s through %s tensors', (kind, type, values) => {
    const sources = ['Packed', 'Loose'].map((name) => ({
      name,
      plan: plan([name, kind], type, ['Packed', kind]),
    }))
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 40 }), (list) => {
        for (const source of sources) {
          const message = encode(source.name, { [kind]: list })
          const { answer } = pass(message, source.plan)
          const seen = fromBinary(schema('Packed'), answer) as unknown as Record<string, unknown>
          expect(seen[kind]).toEqual(list)
        }
      }),
      { numRuns: 60 },
    )
  })

  test.each(CASES)(
    'carries one %s through a %s tensor, and its absence as the default',
    (kind, type, values) => {
      const single = plan(['Single', kind], type, ['Single', kind], [1])
      fc.assert(
        fc.property(values, (value) => {
          const { answer } = pass(encode('Single', { [kind]: value }), single)
          const seen = fromBinary(schema('Single'), answer) as unknown as Record<string, unknown>
          expect(seen[kind]).toEqual(Object.is(value, -0) ? expect.anything() : value)
        }),
        { numRuns: 30 },
      )
      const { answer } = pass(new Uint8Array(0), single)
      expect(fromBinary(schema('Single'), answer)).toEqual(create(schema('Single')))
    },
  )

  test('turns integers into floats', () => {
    const toDoubles = plan(['Packed', 'sint64'], 'float64', ['Packed', 'double'])
    const { answer } = pass(encode('Packed', { sint64: [-1n, 2n ** 40n] }), toDoubles)
    expect(fromBinary(schema('Packed'), answer)).toMatchObject({ double: [-1, 2 ** 40] })
    const toHalves = plan(['Packed', 'int32'], 'float16', ['Packed', 'float'])
    const halves = pass(encode('Packed', { int32: [-3, 2_049] }), toHalves)
    expect(fromBinary(schema('Packed'), halves.answer)).toMatchObject({ float: [-3, 2_048] })
  })

  test('takes a list apart that was written in several pieces, packed and not', () => {
    const pieces = Buffer.concat([
      encode('Packed', { sint32: [1, -2] }),
      encode('Loose', { sint32: [3] }),
      encode('Packed', { sint32: [-400_000] }),
    ])
    const { tensors } = pass(pieces, plan(['Packed', 'sint32'], 'int32', ['Packed', 'sint32']))
    expect(tensors['x']).toEqual({
      type: 'int32',
      data: Int32Array.of(1, -2, 3, -400_000),
      shape: [4],
    })
  })

  test('reads and writes fields inside of messages, and carries the others on', () => {
    const nested = plan(['Outer', 'inner.float'], 'float32', ['Outer', 'inner.double'])
    const { answer } = pass(encode('Outer', { inner: { float: [0.5, 2] }, note: 'größe' }), nested)
    expect(fromBinary(schema('Outer'), answer)).toEqual(
      create(schema('Outer'), { inner: { double: [0.5, 2] }, note: 'größe' } as never),
    )
  })

  test('takes raw bytes for numbers, and gives them back', () => {
    const raw = Buffer.from(Float32Array.of(1, -0.25).buffer)
    const { tensors, answer } = pass(
      encode('Packed', { bytes: raw }),
      plan(['Packed', 'bytes'], 'float32', ['Packed', 'bytes'], ['n', 2]),
    )
    expect(tensors['x']).toEqual({
      type: 'float32',
      data: Float32Array.of(1, -0.25),
      shape: [1, 2],
    })
    expect(
      Buffer.from((fromBinary(schema('Packed'), answer) as unknown as { bytes: Uint8Array }).bytes),
    ).toEqual(raw)
    expect(() =>
      pass(
        encode('Packed', { bytes: raw.subarray(1) }),
        plan(['Packed', 'bytes'], 'float32', ['Packed', 'bytes']),
      ),
    ).toThrow(
      'field "bytes" has 7 bytes, which is no whole number of values for input "x" (float32, 4 bytes each)',
    )
  })

  test.each<[Kind, TensorType, unknown, string]>([
    ['int32', 'uint8', -1, 'value 2 is -1, which input "x" (uint8) can\'t hold'],
    ['uint32', 'uint16', 65_536, 'value 2 is 65536'],
    ['sint64', 'uint64', -1n, 'value 2 is -1'],
    ['uint64', 'int64', 2n ** 63n, 'value 2 is 9223372036854775808'],
    ['int64', 'int32', -(2n ** 31n) - 1n, 'value 2 is -2147483649'],
  ])('refuses a %s that a %s tensor can not hold', (kind, type, value, text) => {
    const message = encode('Packed', { [kind]: [typeof value === 'bigint' ? 0n : 0, value] })
    expect(() => pass(message, plan(['Packed', kind], type, ['Packed', kind]))).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringContaining(text) }),
    )
  })

  test.each<[TensorType, TensorData, Kind, string]>([
    [
      'int64',
      BigInt64Array.of(2n ** 31n),
      'int32',
      "has the value 2147483648, which the field (int32) can't hold",
    ],
    ['int8', Int8Array.of(-1), 'uint64', 'has the value -1'],
    ['uint64', BigUint64Array.of(2n ** 63n), 'sint64', 'has the value 9223372036854775808'],
  ])('fails when a model gives a %s that the field can not hold', (type, data, kind, text) => {
    const codec = createTensorCodec(plan(['Packed', 'bytes'], type, ['Packed', kind]))
    const input = { tensors: {}, carried: new Uint8Array(0) }
    expect(() => codec.encode(input, { y: { type, data, shape: [1] } })).toThrow(
      expect.objectContaining({ code: 'internal', message: expect.stringContaining(text) }),
    )
  })

  test('never does anything but refuse what is no message', () => {
    const codec = createTensorCodec(plan(['Outer', 'inner.sint64'], 'int64', ['Packed', 'sint64']))
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          codec.decode(bytes)
        } catch (error) {
          expect(error).toMatchObject({ name: 'KreError', code: 'invalid-argument' })
        }
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('half floats', () => {
  test('are the nearest ones, and every one of them survives', () => {
    for (let half = 0; half < 0x10000; half++) {
      const value = fromHalf(half)
      if (Number.isNaN(value)) expect(Number.isNaN(fromHalf(toHalf(value)))).toBe(true)
      else if (toHalf(value) !== half) throw new Error(`${half} becomes ${toHalf(value)}`)
    }
    expect(
      [65_519, 65_520, -70_000, 2 ** -25, 2 ** -25 * 1.01, 1 + 2 ** -11, 1 + 3 * 2 ** -11].map(
        toHalf,
      ),
    ).toEqual([0x7bff, 0x7c00, 0xfc00, 0, 1, 0x3c00, 0x3c02])
  })
})
