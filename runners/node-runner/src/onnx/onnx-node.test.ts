import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  create,
  createFileRegistry,
  fromBinary,
  toBinary,
  type DescMessage,
} from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { GRPC_STATUS, type Envelope, type NodeLaunch } from '@kre/contracts'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { buildModel, identityModel } from '../testing/build-model.ts'
import { openTestBench, type TestBench } from '../testing/start-node.ts'

/** Numbers of `FieldDescriptorProto.Type`. */
const TYPE = {
  double: 1,
  float: 2,
  int64: 3,
  int32: 5,
  string: 9,
  bytes: 12,
  uint32: 13,
  sint64: 18,
}
type FieldType = keyof typeof TYPE
const field = (name: string, number: number, type: FieldType, isRepeated = false) => ({
  name,
  number,
  type: TYPE[type],
  label: isRepeated ? 3 : 1,
  jsonName: name,
})

const PROTOS = create(FileDescriptorSetSchema, {
  file: [
    {
      name: 'model.proto',
      package: 'model',
      syntax: 'proto3',
      messageType: [
        {
          name: 'Request',
          field: [
            field('values', 1, 'float', true),
            field('label', 2, 'string'),
            field('raw', 3, 'bytes'),
            field('width', 4, 'uint32'),
            field('ids', 5, 'sint64', true),
            field('words', 6, 'string', true),
          ],
        },
        {
          name: 'Answer',
          field: [
            field('scores', 7, 'double', true),
            field('label', 8, 'string'),
            field('small', 9, 'int32', true),
            field('raw', 10, 'bytes'),
            field('words', 11, 'string', true),
          ],
        },
      ],
    },
  ],
})
const registry = createFileRegistry(PROTOS)
const schema = (name: string) => registry.getMessage(`model.${name}`) as DescMessage
type Fields = Record<string, unknown>
const request = (fields: Fields) => toBinary(schema('Request'), create(schema('Request'), fields))
const answerOf = ({ value, typeUrl, error }: Envelope): unknown => {
  if (error !== '') return error
  expect(typeUrl).toBe('type.googleapis.com/model.Answer')
  const { $typeName: _, ...fields } = fromBinary(schema('Answer'), value) as unknown as Fields
  return fields
}

let nats: TestNats
let bench: TestBench
beforeAll(async () => {
  nats = await startNats()
  bench = await openTestBench(await nats.connect(), nats.access, PROTOS)
})
afterAll(async () => {
  await bench?.[Symbol.asyncDispose]()
  await nats?.[Symbol.asyncDispose]()
})

type Mapping = NonNullable<NodeLaunch['model']>['tensors']
const NO_MAPPING: Mapping = { input: null, output: null, inputs: {}, outputs: {} }
let count = 0
async function start(
  model: Uint8Array,
  mapping: Partial<Mapping> = {},
  more: Partial<NodeLaunch> = {},
) {
  const workflow = `wf${count++}`
  const node = await bench.node('model', model, {
    workflow,
    runner: 'onnx',
    src: `models/${workflow}.onnx`,
    requestType: 'model.Request',
    responseType: 'model.Answer',
    model: { tensors: { ...NO_MAPPING, ...mapping }, threads: 1 },
    ...more,
  })
  return {
    ...node,
    stderr: () => node.stderr(),
    ask: (fields: Fields | Uint8Array, deadlineMs?: number) =>
      bench.ask('', {
        workflow,
        value: fields instanceof Uint8Array ? fields : request(fields),
        typeUrl: 'type.googleapis.com/model.Request',
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      }),
  }
}

describe('a node that runs a model without code', () => {
  test('feeds the model from the only list that fits, and carries the other fields on', async () => {
    const node = await start(
      identityModel('float32', ['n', 2], { type: 'float64', name: 'scores' }),
      {
        inputs: { in: { field: 'values', shape: null } },
      },
    )
    const answer = await node.ask({ values: [0.5, 1, 2, 4], label: 'seven' })
    expect(answerOf(answer)).toEqual({
      scores: [0.5, 1, 2, 4],
      label: 'seven',
      small: [],
      raw: new Uint8Array(0),
      words: [],
    })
    expect(answer).toMatchObject({ fromNode: 'model', hop: 1 })
  })

  test('says which field has how many values where the model takes others', async () => {
    const node = await start(
      identityModel('float32', ['n', 3], { type: 'float64', name: 'scores' }),
      {
        inputs: { in: { field: 'values', shape: null } },
      },
    )
    const answer = await node.ask({ values: [1, 2, 3, 4] })
    expect(answer.statusCode).toBe(GRPC_STATUS['invalid-argument'])
    expect(answer.error).toBe(
      `Error in node 'model' executing handler for node 'entrypoint': field "values" has 4 values for input "in" (float32 [n, 3]): it takes a multiple of 3`,
    )
    const none = await node.ask({})
    expect(none.error).toContain('the message has no values for it')
    const broken = await node.ask(Uint8Array.of(0x0a, 0x05, 0))
    expect(broken).toMatchObject({
      statusCode: GRPC_STATUS['invalid-argument'],
      error: expect.stringContaining('the message is not well-formed: it ends early'),
    })
    expect(answerOf(await node.ask({ values: [1, 2, 3] }))).toMatchObject({ scores: [1, 2, 3] })
  })

  test('takes raw bytes and sizes from the message, and checks the range of integers', async () => {
    const model = buildModel(
      [
        { name: 'image', type: 'uint8', shape: ['h', 'w', 'c'] },
        { name: 'ids', type: 'int8', shape: ['k'] },
      ],
      [
        { name: 'pixels', type: 'uint8', shape: ['h', 'w', 'c'] },
        { name: 'shape', type: 'int64', shape: [3] },
      ],
      [
        { operator: 'Identity', inputs: ['image'], outputs: ['pixels'] },
        { operator: 'Shape', inputs: ['image'], outputs: ['shape'] },
      ],
    )
    const node = await start(model, {
      inputs: { image: { field: 'raw', shape: [2, 'width', 1] } },
      outputs: { pixels: { field: 'raw', shape: null }, shape: { field: 'small', shape: null } },
    })
    const raw = Uint8Array.of(0, 1, 2, 253, 254, 255)
    expect(answerOf(await node.ask({ raw, width: 3, ids: [-128n, 127n] }))).toMatchObject({
      raw,
      small: [2, 3, 1],
    })
    expect(answerOf(await node.ask({ raw, width: 4, ids: [1n] }))).toContain(
      `field "raw" has 6 values for input "image" (uint8 [h, w, c]): a shape of [2, 4, 1] takes 8`,
    )
    expect(answerOf(await node.ask({ raw, width: 3, ids: [1n, 128n] }))).toContain(
      `field "ids": value 2 is 128, which input "ids" (int8) can't hold`,
    )
  })

  test('carries texts', async () => {
    const node = await start(identityModel('string', ['n'], { type: 'string', name: 'words' }), {
      inputs: { in: { field: 'words', shape: null } },
    })
    expect(answerOf(await node.ask({ words: ['a', '', 'größe'] }))).toMatchObject({
      words: ['a', '', 'größe'],
    })
  })

  test('runs the messages of a batch together, and each gets its own rows', async () => {
    const model = identityModel('float32', ['n'], { type: 'float64', name: 'scores' })
    const mapping = { inputs: { in: { field: 'values', shape: null } } }
    const node = await start(model, mapping, { batch: { maxSize: 8, maxDelayMs: 20 } })
    const values = (i: number) => Array.from({ length: 1 + (i % 3) }, (_, k) => i + k / 4)
    const asked = Array.from({ length: 20 }, (_, i) =>
      node.ask({ values: values(i), label: `${i}` }),
    )
    for (const [i, answer] of (await Promise.all(asked)).entries())
      expect(answerOf(answer)).toMatchObject({ scores: values(i), label: `${i}` })
  })

  test('fails only the message of a batch that the model refuses', async () => {
    const model = identityModel('string', ['n'], { type: 'float32', name: 'scores' })
    const mapping = { inputs: { in: { field: 'words', shape: null } } }
    const node = await start(model, mapping, { batch: { maxSize: 4, maxDelayMs: 1_000 } })
    const answers = await Promise.all(
      ['1', 'two', '3', '4'].map((word) => node.ask({ words: [word] })),
    )
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([
      0,
      GRPC_STATUS['invalid-argument'],
      0,
      0,
    ])
    expect(answerOf(answers[3] as Envelope)).toMatchObject({ scores: [4] })
  })

  test('does not start when the model does not fit the messages, and says why', async () => {
    const node = await start(identityModel('float32', ['n']), {
      inputs: { in: { field: 'label', shape: null }, inn: { field: 'values', shape: null } },
    })
    expect(await node.exited).toMatchObject({ code: 78 })
    expect(node.stderr()).toContain('the model has no input "inn" (it has "in" (float32 [n]))')
    expect(node.stderr()).toContain(
      'input "in" (float32 [n]) of the model: field "label" is string, which does not fit',
    )
  })

  test('reads every picture of the digits example that TypeScript code reads, equally', async () => {
    const model = readFileSync(
      join(import.meta.dirname, '../../../../examples/digits/models/digits.onnx'),
    )
    const node = await start(model, {
      inputs: { pixels: { field: 'values', shape: null } },
      outputs: { probabilities: { field: 'scores', shape: null } },
    })
    const { scores } = answerOf(
      await node.ask({ values: Array.from({ length: 64 }, () => 0) }),
    ) as {
      scores: number[]
    }
    expect(scores).toHaveLength(10)
    expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5)
  })
})
