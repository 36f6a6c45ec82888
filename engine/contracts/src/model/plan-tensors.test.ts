import { describe, expect, test } from '@jest/globals'
import { NO_TENSORS, type TensorMapping } from '../manifest/tensors.ts'
import type { FieldKind, MessageCatalog, MessageField } from './message-catalog.ts'
import { planTensors, type PlanRequest } from './plan-tensors.ts'
import type { TensorSignature } from './tensor-type.ts'

const field = (name: string, number: number, type: string): MessageField => {
  const isRepeated = type.startsWith('repeated ')
  const kind = type.replace('repeated ', '')
  return kind.startsWith('t.')
    ? { name, number, kind: 'message', isRepeated, typeName: kind }
    : { name, number, kind: kind as FieldKind, isRepeated, typeName: '' }
}
const CATALOG: MessageCatalog = new Map(
  Object.entries({
    't.Request': [
      field('pixels', 1, 'repeated float'),
      field('label', 2, 'string'),
      field('inner', 3, 't.Inner'),
      field('many', 4, 'repeated t.Inner'),
      field('width', 5, 'uint32'),
    ],
    't.Inner': [field('input_ids', 1, 'repeated int64'), field('mask', 2, 'repeated int64')],
    't.Two': [field('a', 1, 'repeated float'), field('b', 2, 'repeated float')],
    't.Answer': [
      field('scores', 1, 'repeated float'),
      field('label', 2, 'string'),
      field('width', 3, 'uint64'),
    ],
    'u.Answer': [],
  }).map(([name, fields]) => [name, { name, fields }]),
)
const tensor = (
  name: string,
  shape: TensorSignature['shape'] = ['n', 64],
  type: TensorSignature['type'] = 'float32',
): TensorSignature => ({ name, type, shape })

const plan = (mapping: Partial<TensorMapping> = {}, changes: Partial<PlanRequest> = {}) =>
  planTensors({
    signature: { inputs: [tensor('x')], outputs: [tensor('probabilities', ['n', 10])] },
    catalog: CATALOG,
    mapping: { ...NO_TENSORS, ...mapping },
    requestType: 't.Request',
    responseType: 't.Answer',
    ...changes,
  })
const planned = (...given: Parameters<typeof plan>) => {
  const result = plan(...given)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.plan
}
const problems = (...given: Parameters<typeof plan>) => {
  const result = plan(...given)
  return result.ok
    ? []
    : result.problems.map(({ path, message, hint }) => `${path.join('.')}: ${message} (${hint})`)
}
const to = (name: string, shape: (number | string)[] | null = null) => ({ field: name, shape })

describe('planTensors', () => {
  test('finds the only fields that fit, and carries what both messages have', () => {
    expect(planned()).toMatchObject({
      inputType: 't.Request',
      outputType: 't.Answer',
      inputs: [{ name: 'x', field: { path: 'pixels', numbers: [1] }, shape: null }],
      outputs: [{ name: 'probabilities', field: { path: 'scores' } }],
      // `width` has another type in the answer.
      carried: [{ from: 2, to: 2 }],
    })
  })

  test('prefers a field of the same name, however it is written', () => {
    const signature = {
      inputs: [tensor('inputIds', ['n'], 'int64'), tensor('Mask', ['n'], 'int64')],
      outputs: [tensor('scores')],
    }
    expect(planned({ input: 'Inner' }, { signature }).inputs).toMatchObject([
      { name: 'inputIds', field: { path: 'input_ids' } },
      { name: 'Mask', field: { path: 'mask' } },
    ])
  })

  test('follows the manifest into messages, and takes sizes from fields', () => {
    const { inputs } = planned(
      { inputs: { x: to('inner.input_ids', [1, 'width']) } },
      { signature: { inputs: [tensor('x', [1, 'w'], 'int64')], outputs: [tensor('scores')] } },
    )
    expect(inputs).toMatchObject([
      { field: { path: 'inner.input_ids', numbers: [3, 1] }, shape: [1, { path: 'width' }] },
    ])
  })

  test('does not compute outputs that no field takes', () => {
    const signature = {
      inputs: [tensor('x')],
      outputs: [tensor('scores'), tensor('hidden'), tensor('map', [], null)],
    }
    expect(planned({}, { signature }).outputs.map(({ name }) => name)).toEqual(['scores'])
  })

  test.each<[string, Parameters<typeof plan>, string[]]>([
    [
      'an input that may come from two fields',
      [{ input: 'Two' }],
      [
        ': no field of t.Two is known to feed input "x" (float32 [n, 64]) of the model (write tensors.inputs: {"x": a or b})',
      ],
    ],
    [
      'a message that is not there, and one of two',
      [{ input: 'Nothing', output: 'Answer' }, { responseType: null }],
      [
        'input: no message "Nothing" is in the protos (known are t.Request, t.Inner, t.Two, t.Answer, u.Answer)',
        'output: "Answer" may be t.Answer, u.Answer (write the full name)',
      ],
    ],
    [
      'what nobody says',
      [{}, { requestType: null, responseType: null }],
      [
        ': what it receives is known to the code of other nodes alone (name the message in tensors.input)',
        ': what it shall send is not said: it is not the exitpoint (name the message in tensors.output)',
      ],
    ],
    [
      'another answer than the rpc returns',
      [{ output: 'Two' }],
      ['output: it is the exitpoint, so it must send t.Answer, not t.Two (remove tensors.output)'],
    ],
    [
      'tensors that the model does not have',
      [{ inputs: { y: to('width') } }],
      ['inputs.y: the model has no input "y" (it has "x" (float32 [n, 64]))'],
    ],
    [
      'fields that are not there, do not fit, or lie in lists',
      [{ inputs: { x: to('label') }, outputs: { probabilities: to('nothing') } }],
      [
        'inputs.x: input "x" (float32 [n, 64]) of the model: field "label" is string, which does not fit (t.Request has pixels (repeated float), label (string), inner (t.Inner), many (repeated t.Inner), width (uint32))',
        'outputs.probabilities: output "probabilities" (float32 [n, 10]) of the model: t.Answer has no field "nothing" (t.Answer has scores (repeated float), label (string), width (uint64))',
      ],
    ],
    [
      'floats for integers',
      [
        { inputs: { x: to('pixels') } },
        { signature: { inputs: [tensor('x', ['n'], 'int64')], outputs: [tensor('scores')] } },
      ],
      [
        'inputs.x: input "x" (int64 [n]) of the model: field "pixels" is repeated float, which does not fit (t.Request has pixels (repeated float), label (string), inner (t.Inner), many (repeated t.Inner), width (uint32))',
      ],
    ],
    [
      'three sizes that may change',
      [
        {},
        { signature: { inputs: [tensor('x', ['n', 3, 'h', 'w'])], outputs: [tensor('scores')] } },
      ],
      [
        ': input "x" (float32 [n, 3, h, w]) has more than two sizes that may change (say them: {field: …, shape: [1, 3, h, w]})',
      ],
    ],
    [
      'a shape of another length, size or kind',
      [{ inputs: { x: to('pixels', [1, 63]) } }],
      [
        'inputs.x.shape.1: input "x" (float32 [n, 64]) has 64 there, the manifest says 63 (write 64)',
      ],
    ],
    [
      'a list as a size',
      [{ inputs: { x: to('pixels', ['pixels', 64]) } }],
      [
        `inputs.x.shape.0: input "x" (float32 [n, 64]) can't have the size "pixels": it is repeated float ()`,
      ],
    ],
    [
      'what is no tensor',
      [{}, { signature: { inputs: [tensor('x', [], null)], outputs: [tensor('scores')] } }],
      [
        ': input "x" of the model is no tensor of a type that messages can hold (use a TypeScript or Python node, or export the model with tensors)',
      ],
    ],
  ])('says what is wrong with %s', (_what, given, expected) => {
    expect(problems(...given)).toEqual(expected)
  })

  test('says names of strangers shortly, and without what a terminal obeys', () => {
    const evil = `\u001B[2J"\n${'x'.repeat(4_000)}`
    const signature = {
      inputs: Array.from({ length: 50 }, (_, i) =>
        tensor(evil + i, Array(30).fill(evil) as string[]),
      ),
      outputs: [tensor(evil)],
    }
    const result = plan({ inputs: { [evil]: to(evil) } }, { signature })
    for (const { message, hint } of result.ok ? [] : result.problems) {
      expect(`${message} ${hint}`.length).toBeLessThan(10_000)
      expect(message + hint).not.toContain('\u001B')
      expect(message + hint).not.toContain('\n')
    }
    expect(result.ok).toBe(false)
  })

  test('is not misled by names that every object has', () => {
    const names = ['constructor', '__proto__', 'toString']
    const signature = { inputs: names.map((name) => tensor(name)), outputs: [tensor('scores')] }
    expect(problems({}, { signature })).toHaveLength(3)
  })
})
