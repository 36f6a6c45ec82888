import { describe, expect, test } from '@jest/globals'
import type { KrtManifest } from './graph.ts'
import { formatIssue } from './issue.ts'
import { parseManifest, type ManifestContext } from './parse-manifest.ts'
import { codes, edit, GRAPH, LINEAR, SEED_SAMPLE, verdict } from './testing/manifest-text.ts'

function accepted(text: string, context: Partial<ManifestContext> = {}): KrtManifest {
  const result = parseManifest(text, { file: 'kre.yaml', ...context })
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'))
  return result.manifest
}
function lines(text: string): string[] {
  return parseManifest(text, { file: 'kre.yaml' }).issues.map(formatIssue)
}

describe("the README's sample", () => {
  const files = new Set([
    'kre.yaml',
    'public_input.proto',
    'src/etl/execute_etl.py',
    'src/execute_model/execute_model.py',
    'src/output/output.py',
    'src/client_metrics/client_metrics.py',
  ])

  test('is accepted as written, with warnings of floating tags only', () => {
    expect(codes(SEED_SAMPLE, { files })).toEqual(['IMAGE_FLOATING'])
    expect(accepted(SEED_SAMPLE, { files })).toMatchObject({
      krtVersion: 'v1',
      version: 'my-project-v1',
      entrypoint: { proto: 'public_input.proto' },
      config: { variables: ['API_KEY', 'API_SECRET'], files: ['HTTPS_CERT'], defaults: {} },
    })
  })

  test('becomes two workflows of chained nodes that end in their exitpoints', () => {
    const workflows = accepted(SEED_SAMPLE).workflows.map(
      ({ id, name, entrypoint, exitpoint, nodes }) => ({
        id,
        name,
        entrypoint,
        exitpoint,
        chain: nodes.map(
          (node) => `${node.subscriptions.map(({ from }) => from).join()} > ${node.id}`,
        ),
      }),
    )
    expect(workflows).toEqual([
      {
        id: 'new-prediction',
        name: 'New prediction',
        entrypoint: 'MakePrediction',
        exitpoint: 'create-output',
        chain: ['entrypoint > etl', 'etl > execute-dl-model', 'execute-dl-model > create-output'],
      },
      {
        id: 'save-client-metrics',
        name: 'Save Client Metrics',
        entrypoint: 'SaveClientMetric',
        exitpoint: 'client-metrics',
        chain: ['entrypoint > client-metrics'],
      },
    ])
  })

  test('has exactly one error without its proto', () => {
    files.delete('public_input.proto')
    const result = parseManifest(SEED_SAMPLE, { file: 'kre.yaml', files })
    const errors = result.issues.filter((issue) => issue.level === 'error')
    expect(errors).toMatchObject([
      { code: 'PROTO_MISSING', line: 4, column: 10, path: 'entrypoint.proto' },
    ])
    expect(result).toMatchObject({ ok: false, manifestVersion: 'my-project-v1' })
  })

  test.each([
    ['carriage returns', SEED_SAMPLE.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${SEED_SAMPLE}`],
    ['no line end at the end', SEED_SAMPLE.trimEnd()],
    ['a document start and end', `---\n${SEED_SAMPLE}...\n`],
  ])('means the same with %s', (_what, text) => {
    expect(accepted(text)).toEqual(accepted(SEED_SAMPLE))
  })
})

describe('a node that several workflows list', () => {
  test('is a node of its own in each of them', () => {
    const text = edit(LINEAR, ['      - Client Metrics', '      - etl\n      - Client Metrics'])
    const [first, second] = accepted(text).workflows
    expect(first?.nodes.map((node) => node.id)).toEqual([
      'etl',
      'execute-dl-model',
      'create-output',
    ])
    expect(second?.nodes.map((node) => node.id)).toEqual(['etl', 'client-metrics'])
  })
})

describe('references', () => {
  const named = edit(GRAPH, ['name: score', 'name: Score It'], ['name: reply', 'name: Re Ply'])

  test.each([
    [
      'display names',
      [
        ['[score]', '[Score It]'],
        ['exitpoint: reply', 'exitpoint: Re Ply'],
      ],
    ],
    [
      'ids',
      [
        ['[score]', '[score-it]'],
        ['exitpoint: reply', 'exitpoint: re-ply'],
      ],
    ],
    [
      'channels of display names',
      [
        ['[score]', '[Score It.low, score-it]'],
        ['exitpoint: reply', 'exitpoint: re-ply'],
      ],
    ],
  ] as [string, [string, string][]][])('may be %s', (_what, changes) => {
    const workflow = accepted(edit(named, ...changes)).workflows[0]
    expect(workflow?.exitpoint).toBe('re-ply')
    expect(workflow?.nodes[2]?.subscriptions.at(-1)?.from).toBe('score-it')
  })

  test('to nothing come with the nearest name', () => {
    expect(lines(edit(GRAPH, ['[prepare]', '[prepar]']))).toEqual([
      'kre.yaml:24:25 error SUBSCRIPTION_UNKNOWN node "score": no node "prepar" in workflow "intake" (did you mean "prepare"?)',
    ])
  })
})

describe('defaults', () => {
  test('fill in everything that an author may leave out', () => {
    expect(accepted(GRAPH).workflows[0]?.nodes[1]).toEqual({
      id: 'score',
      name: 'score',
      image: 'konstellation/kre-py:1.0',
      src: 'src/score.py',
      gpu: null,
      replicas: 1,
      subscriptions: [{ from: 'prepare', channel: null, durability: 'fast' }],
      objectStore: null,
      concurrency: 1,
      timeoutMs: null,
      retries: { max: 0, backoffMs: 0 },
      onError: 'fail',
      resources: { cpuMillis: null, memoryBytes: null },
      channels: null,
    })
  })

  test.each<[string, object]>([
    ['replicas: 0', { replicas: 1 }],
    ['gpu: true', { gpu: { count: 1, class: null } }],
    ['gpu: false', { gpu: null }],
    ['gpu: {class: a100}', { gpu: { count: 1, class: 'a100' } }],
    ['objectStore: {name: features}', { objectStore: { name: 'features', scope: 'workflow' } }],
    ['retries: {max: 2}', { retries: { max: 2, backoffMs: 0 } }],
    ['channels: [a, b]', { channels: ['a', 'b'] }],
    [
      'resources: {cpu: {request: 0.5}, memory: {limit: 1Gi}}',
      {
        resources: {
          cpuMillis: { request: 500, limit: 500 },
          memoryBytes: { request: 2 ** 30, limit: 2 ** 30 },
        },
      },
    ],
    [
      'autoscaling: {}',
      {
        replicas: 1,
        autoscaling: {
          min: 1,
          max: 10,
          targetInFlight: 1,
          targetQueueAgeMs: 1_000,
          idleMs: 300_000,
        },
      },
    ],
    ['autoscaling: {min: 2, max: 4}', { replicas: 2, autoscaling: { min: 2, max: 4 } }],
    ['autoscaling: {min: 0}', { replicas: 1, autoscaling: { min: 0, max: 10 } }],
    ['autoscaling: {min: 20}', { replicas: 20, autoscaling: { min: 20, max: 20 } }],
    [
      'autoscaling: {targetInFlight: 3, targetQueueAgeMs: 50, idleMs: 1000}',
      { autoscaling: { targetInFlight: 3, targetQueueAgeMs: 50, idleMs: 1_000 } },
    ],
    [
      'autoscaling: {}\n        concurrency: 2\n        batch: {maxSize: 8}',
      { autoscaling: { targetInFlight: 16 } },
    ],
  ])('%s', (line, expected) => {
    const text = edit(GRAPH, ['src: src/score.py\n', `src: src/score.py\n        ${line}\n`])
    expect(accepted(text).workflows[0]?.nodes[1]).toMatchObject(expected)
  })

  test('treat optional fields without a value as absent', () => {
    const text = edit(GRAPH, ['  variables:\n    - API_KEY\n  files:\n    - CERT\n', ''])
    expect(accepted(text).config).toEqual({ variables: [], files: [], defaults: {} })
  })

  test('of configuration are kept for declared names', () => {
    const text = edit(GRAPH, ['  files:\n', '  defaults: {API_KEY: "1"}\n  files:\n'])
    expect(accepted(text).config.defaults).toEqual({ API_KEY: '1' })
  })
})

describe('the generation', () => {
  test.each<[string, string, string[]]>([
    ['v1 by its fields', LINEAR, []],
    ['v1 by its name', `krtVersion: v1\n${LINEAR}`, []],
    [
      'v2 by its fields, with a warning',
      edit(GRAPH, ['krtVersion: v2\n', '']),
      ['1:1 warning KRT_VERSION_ASSUMED'],
    ],
    [
      'v1 with the nodes of v2',
      edit(GRAPH, ['v2\n', 'v1\n']),
      ['15:5 error FIELD_GENERATION', '16:5 error FIELD_GENERATION'],
    ],
    [
      'v2 with the nodes of v1',
      `krtVersion: v2\n${LINEAR}`,
      ['15:1 error FIELD_GENERATION', '35:5 error FIELD_GENERATION', '41:5 error FIELD_GENERATION'],
    ],
    ['a number', edit(GRAPH, ['v2\n', '2\n']), ['1:13 error FIELD_TYPE']],
  ])('%s', (_what, text, expected) => {
    expect(verdict(text)).toEqual(expected)
  })
})

describe('two things of one name', () => {
  test('are both named, with their positions', () => {
    const text = edit(
      GRAPH,
      ['name: score', 'name: A B'],
      ['[score]', '[a-b]'],
      ['name: reply', 'name: a-b'],
      ['exitpoint: reply', 'exitpoint: A B'],
    )
    expect(lines(text).filter((line) => line.includes('NAME_DUPLICATE'))).toEqual([
      'kre.yaml:25:15 error NAME_DUPLICATE nodes "A B" and "a-b" in workflow "intake" have the same id "a-b": kre.yaml:21:15 and kre.yaml:25:15 (rename one of them)',
    ])
  })
})

describe('a manifest full of mistakes', () => {
  test('reports all of them together, each at its line', () => {
    const text = `krtVersion: v2
version: 012
description:
entrypoint:
  proto: public_input.prot
  image: konstellation/KRE:1
config:
  variables:
    - api_key
    - PATH
    - TOKEN
    - TOKEN
workflow: []
workflows:
  - name: This name is far too long
    entrypoint: Classify
    exitpoint: repl
    nodes:
      - name: prepare
        image: konstellation/kre-rust:1
        subscriptions: [entrypoint]
      - name: pre_pare!
        image: konstellation/kre-py:1
        src: ../score.py
        subscriptions: []
      - name: loop a
        image: konstellation/kre-ts:1
        src: a.ts
        replicas: 101
        objectStore: { name: A, scope: all }
        subscriptions: [loop b, loop a]
      - name: loop b
        image: konstellation/kre-ts:1
        src: a.py
        gpu: on
        subscriptions: [loop a, prepar]
      - name: reply
        image: konstellation/kre-ts:latest
        src: a.ts
        subscriptions: [prepare, prepare, prepare.a b]
  - name: second
    entrypoint: Classify
    exitpoint: only
    nodes:
      - { name: only, image: konstellation/kre-ts:1, src: a.ts, subscriptions: [entrypoint], timeoutMs: 1.5 }
`
    expect(verdict(text).filter((line) => !line.includes(' info '))).toEqual([
      '2:10 error FIELD_TYPE',
      '3:1 error FIELD_REQUIRED',
      '5:10 error PATH_INVALID',
      '6:10 error IMAGE_SYNTAX',
      '9:7 error CONFIG_NAME',
      '10:7 error CONFIG_RESERVED',
      '12:7 error CONFIG_DUPLICATE',
      '13:1 error YAML_UNKNOWN_KEY',
      '15:11 error NAME_TOO_LONG',
      '17:16 error EXITPOINT_UNKNOWN',
      '19:9 error FIELD_REQUIRED',
      '20:16 error IMAGE_UNKNOWN',
      '22:15 error NAME_INVALID',
      '24:14 error PATH_INVALID',
      '25:9 error SUBSCRIPTION_MISSING',
      '29:19 error REPLICAS_RANGE',
      '30:30 error OBJECT_STORE_NAME',
      '30:40 error OBJECT_STORE_SCOPE',
      '31:25 error GRAPH_CYCLE',
      '31:33 error SUBSCRIPTION_SELF',
      '34:14 warning SRC_RUNNER_MISMATCH',
      '35:14 error FIELD_TYPE',
      '36:33 error SUBSCRIPTION_UNKNOWN',
      '38:16 warning IMAGE_FLOATING',
      '40:34 error SUBSCRIPTION_DUPLICATE',
      '40:43 error CHANNEL_INVALID',
      '42:17 error ENTRYPOINT_DUPLICATE',
      '45:105 error FIELD_TYPE',
    ])
  })

  test('names the quoted form of what YAML took for a number', () => {
    expect(lines(edit(GRAPH, ['demo-v1', '012']))).toEqual([
      'kre.yaml:2:10 error FIELD_TYPE "version" must be text, not the number 12 (write "012", in quotes)',
    ])
  })

  test('prints the cycle', () => {
    expect(lines(edit(GRAPH, ['[prepare]', '[prepare, reply]']))).toEqual([
      'kre.yaml:24:34 error GRAPH_CYCLE workflow "intake": the nodes "score" -> "reply" -> "score" form a cycle (remove one of these subscriptions)',
    ])
  })

  test('lists no more issues than help anybody', () => {
    const text = edit(GRAPH, ['[prepare]', `[${'x, '.repeat(5_000)}prepare]`])
    const { issues } = parseManifest(text, { file: 'kre.yaml' })
    expect(issues).toHaveLength(1_001)
    expect(issues.at(-1)).toMatchObject({ code: 'ISSUES_OMITTED', level: 'error' })
  })
})

describe('something else than a manifest', () => {
  test.each<[string, string, string]>([
    ['nothing', '', '1:1 error FIELD_REQUIRED'],
    ['a comment', '# soon\n', '1:1 error FIELD_REQUIRED'],
    ['a list', '- a\n', '1:1 error FIELD_TYPE'],
    ['a word', 'hello', '1:1 error FIELD_TYPE'],
  ])('%s', (_what, text, expected) => {
    expect(verdict(text)).toEqual([expected])
  })

  test('an empty map lacks every required field', () => {
    expect(lines('{}')).toEqual(
      ['version', 'description', 'entrypoint', 'workflows'].map(
        (field) => `kre.yaml:1:1 error FIELD_REQUIRED "${field}" is missing`,
      ),
    )
  })
})
