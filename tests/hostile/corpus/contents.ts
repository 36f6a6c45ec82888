/** Files of a bundle that are more than they seem: code, models. */
import { ProtoWriter } from '@kre/contracts'
import { SAMPLE_MANIFEST, SAMPLE_PROTO } from '@kre/bundle/testing'
import { bundleOf, type HostileInput, noise } from './hostile-input.ts'

const TS = 'src/prepare.ts'
const PY = 'src/reply.py'

/** Path, what, text, line of the error. */
const SOURCES: [string, string, string, number?][] = [
  [TS, '100,000 brackets', '('.repeat(100_000)],
  [TS, '60,000 functions in functions', 'a=>'.repeat(60_000)],
  [TS, 'an escape of a terminal', 'const \u001b[2J = 1', 1],
  [TS, 'an enum', 'export enum A { B }\n', 1],
  [PY, '100,000 brackets', '('.repeat(100_000)],
  [
    PY,
    'a hundred blocks',
    Array.from({ length: 101 }, (_, i) => `${' '.repeat(i)}if 1:\n`).join(''),
  ],
  [PY, 'a NUL', 'x = 1\0\n', 1],
  [PY, 'another encoding than it says', '# coding: nonsense\nx = 1\n'],
]

const MODEL = 'models/m.onnx'
const MODEL_MANIFEST = SAMPLE_MANIFEST.replace('kre-ts:1', 'kre-onnx:1')
  .replace(TS, MODEL)
  .replace('exitpoint: reply', 'exitpoint: prepare')

const MODEL_PROTO = SAMPLE_PROTO.replace('bytes pixels', 'repeated float pixels').replace(
  'int32',
  'repeated float',
)

/** A model of one input and one output. */
function model(dimensions: readonly number[], inputName = 'pixels'): Uint8Array {
  const w = new ProtoWriter()
  const graph = w.beginMessage(7)
  for (const [field, name] of [
    [11, inputName],
    [12, 'value'],
  ] as const) {
    const value = w.beginMessage(field)
    w.string(1, name)
    const type = w.beginMessage(2)
    const tensor = w.beginMessage(1)
    w.uint(1, 1)
    const shape = w.beginMessage(2)
    for (const size of dimensions) {
      const dimension = w.beginMessage(1)
      w.uint(1, size)
      w.endMessage(dimension)
    }
    w.endMessage(shape)
    w.endMessage(tensor)
    w.endMessage(type)
    w.endMessage(value)
  }
  w.endMessage(graph)
  return w.finish()
}

const MODELS: [string, string, () => Uint8Array][] = [
  ['nothing', 'MODEL_INVALID', () => Buffer.alloc(0)],
  ['noise', 'MODEL_INVALID', () => noise(10_000)],
  ['text', 'MODEL_INVALID', () => Buffer.from('hello '.repeat(100))],
  ['cut', 'MODEL_INVALID', () => model([1, 784]).subarray(0, -5)],
  ['cut in a length', 'MODEL_INVALID', () => Buffer.from([0x3a, 0xff])],
  ['a length beyond 2^63', 'MODEL_INVALID', () => Buffer.from(`3a${'ff'.repeat(9)}01`, 'hex')],
  ['a length without an end', 'MODEL_INVALID', () => Buffer.from(`3a${'ff'.repeat(20)}`, 'hex')],
  ['a part longer than what holds it', 'MODEL_INVALID', () => Buffer.from('3a025a7f', 'hex')],
  ['a million parts', 'MODEL_INVALID', () => Buffer.alloc(2_000_000, Buffer.from([8, 1]))],
  ['1,000 dimensions', 'MODEL_INVALID', () => model(Array.from({ length: 1_000 }, () => 2))],
  ['dimensions of 2^50 each', 'MODEL_INVALID', () => model([2 ** 50, 2 ** 50, 2 ** 50])],
  ['a tensor with a name of 5,000 letters', 'MODEL_INVALID', () => model([1], 'x'.repeat(5_000))],
  ['a tensor named __proto__', 'MODEL_INVALID', () => model([1], '__proto__')],
  ['a tensor with an escape of a terminal', 'MODEL_INVALID', () => model([1], '\u001b[2J\u202e')],
]

export const HOSTILE_CONTENTS: readonly HostileInput[] = [
  ...SOURCES.map(([path, what, text, line]) => ({
    name: `source: ${path} of ${what}`,
    code: 'SRC_SYNTAX',
    place: line === undefined ? path : `${path}:${line}`,
    bytes: () => bundleOf({ [path]: text }),
  })),
  ...MODELS.map(([what, code, bytes]) => ({
    name: `model: ${what}`,
    code,
    place: 'kre.yaml:10',
    bytes: () =>
      bundleOf({ 'kre.yaml': MODEL_MANIFEST, 'public_input.proto': MODEL_PROTO, [MODEL]: bytes() }),
  })),
]
