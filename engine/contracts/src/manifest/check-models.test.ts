import { describe, expect, test } from '@jest/globals'
import type { MessageField } from '../model/message-catalog.ts'
import type { ModelFacts } from './check-models.ts'
import { parseManifest } from './parse-manifest.ts'
import { edit, GRAPH, LINEAR, verdict } from './testing/manifest-text.ts'
import { toYaml } from './to-yaml.ts'

const list = (name: string, number: number): MessageField => ({
  name,
  number,
  kind: 'float',
  isRepeated: true,
  typeName: '',
})
const models: ModelFacts = {
  catalog: new Map([
    ['demo.Request', { name: 'demo.Request', fields: [list('pixels', 1)] }],
    ['demo.Scores', { name: 'demo.Scores', fields: [list('scores', 1)] }],
  ]),
  signatures: new Map<string, ReturnType<ModelFacts['signatures']['get']> & object>([
    [
      'models/a.onnx',
      {
        inputs: [{ name: 'x', type: 'float32', shape: ['n', 64] }],
        outputs: [{ name: 'scores', type: 'float32', shape: ['n', 10] }],
      },
    ],
    ['models/text.onnx', { problem: 'is no ONNX model: it has no graph' }],
  ]),
}
const method = (rpc: string) => ({
  rpc,
  requestType: 'demo.Request',
  responseType: 'demo.Scores',
  clientStreaming: false,
  serverStreaming: false,
})
const serving = (...rpcs: string[]) => ({
  models,
  service: { name: 'demo.Entrypoint', methods: rpcs.map(method) },
})
const context = serving('Classify')

const SCORE = 'image: konstellation/kre-py:1.0\n        src: src/score.py\n'
const withModel = (more: string, src = 'models/a.onnx') =>
  edit(GRAPH, [SCORE, `image: konstellation/kre-onnx:1.0\n        src: ${src}\n${more}`])
const FITTING = '        tensors: { input: Request, output: Scores }\n'

describe('the check of models', () => {
  test('accepts a model that fits the messages of its node, and keeps how', () => {
    const text = withModel(
      '        tensors:\n          input: Request\n          output: demo.Scores\n          inputs: { x: { field: pixels, shape: [1, 64] } }\n          outputs: { scores: scores }\n',
    )
    const result = parseManifest(text, { file: 'kre.yaml', ...context })
    expect(result).toMatchObject({ ok: true, issues: [] })
    if (!result.ok) return
    expect(result.manifest.workflows[0]?.nodes[1]?.tensors).toEqual({
      input: 'Request',
      output: 'demo.Scores',
      inputs: { x: { field: 'pixels', shape: [1, 64] } },
      outputs: { scores: { field: 'scores', shape: null } },
    })
    expect(parseManifest(toYaml(result.manifest), { file: 'kre.yaml', ...context })).toEqual(result)
  })

  test.each([
    [
      'a node whose messages nobody says',
      withModel(''),
      ['21:9 error MODEL_MESSAGE', '21:9 error MODEL_MESSAGE'],
    ],
    [
      'a message that is not there',
      withModel(FITTING.replace('Scores', 'Score')),
      ['24:44 error MODEL_MESSAGE'],
    ],
    [
      'a tensor that the model does not have',
      withModel(FITTING.replace(' }', ', inputs: { z: pixels } }')),
      ['24:65 error MODEL_TENSOR'],
    ],
    [
      'a field that is not there',
      withModel(FITTING.replace(' }', ', outputs: { scores: nothing } }')),
      ['24:71 error MODEL_FIELD'],
    ],
    [
      'a file that is no model',
      withModel(FITTING, 'models/text.onnx'),
      ['23:14 error MODEL_INVALID'],
    ],
    [
      'tensors of a node that has code',
      edit(GRAPH, [SCORE, SCORE + FITTING]),
      ['24:9 error FIELD_VALUE'],
    ],
    [
      'a key that is none',
      withModel(FITTING.replace('input:', 'inputt:')),
      ['21:9 error MODEL_MESSAGE', '24:20 error YAML_UNKNOWN_KEY'],
    ],
    [
      'code that is no model',
      withModel(FITTING, 'src/score.py'),
      ['23:14 warning SRC_RUNNER_MISMATCH'],
    ],
  ])('finds %s', (_what, text, expected) => {
    expect(verdict(text, context)).toEqual(expected)
  })

  test('finds the nodes of the first generation where they are declared', () => {
    const text = edit(LINEAR, [
      'image: konstellation/kre-py:1.0\n    src: src/etl/execute_etl.py',
      'image: konstellation/kre-onnx:1.0\n    src: models/a.onnx',
    ])
    expect(verdict(text, serving('MakePrediction', 'SaveClientMetric'))).toEqual([
      '15:5 error MODEL_MESSAGE',
    ])
  })

  test('says nothing where nothing is known of the bundle', () => {
    expect(verdict(withModel(''), {})).toEqual([])
    expect(verdict(withModel(''), { ...context, models: null })).toEqual([])
  })
})
