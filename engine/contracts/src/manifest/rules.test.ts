/** For every rule of the KRT reference one value just inside and one just outside. */
import { describe, expect, test } from '@jest/globals'
import { parseManifest, type ManifestContext } from './parse-manifest.ts'
import { codes, edit, GRAPH, GRAPH_FILES, LINEAR, verdict } from './testing/manifest-text.ts'

type Change = [from: string, to: string]
type Row = [rule: string, inside: Change[], outside: Change[], code: string]

const SCORE = 'src: src/score.py\n'
const score = (line: string): Change[] => [[SCORE, `${SCORE}        ${line}\n`]]
const list = (count: number, item: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => item(i)).join('')
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

const ROWS: Row[] = [
  [
    'V1 depth',
    [['A demo.\n', `A demo.\nlabels: ${nested(11)}\n`]],
    [['A demo.\n', `A demo.\nlabels: ${nested(12)}\n`]],
    'YAML_DEPTH',
  ],
  ['V1 alias', [['A demo.', '"*x"']], [['A demo.', '*x']], 'YAML_FEATURE'],
  ['V1 anchor', [['A demo.', 'a &x']], [['A demo.', '&x a']], 'YAML_FEATURE'],
  ['V1 tag', [['A demo.', 'a !x']], [['A demo.', '!!str a']], 'YAML_FEATURE'],
  [
    'V1 merge key',
    [['krtVersion', 'labels: {}\nkrtVersion']],
    [['krtVersion', '<<: {}\nkrtVersion']],
    'YAML_FEATURE',
  ],
  [
    'V1 directive',
    [['krtVersion', '---\nkrtVersion']],
    [['krtVersion', '%YAML 1.2\n---\nkrtVersion']],
    'YAML_FEATURE',
  ],
  [
    'V1 key that is no text',
    [['krtVersion', '"1": a\nkrtVersion']],
    [['krtVersion', '1: a\nkrtVersion']],
    'YAML_FEATURE',
  ],
  [
    'V1 duplicate key',
    [['krtVersion', 'owner: a\nkrtVersion']],
    [['krtVersion', 'version: a\nkrtVersion']],
    'YAML_DUPLICATE_KEY',
  ],
  [
    'V1 documents',
    [['[score]\n', '[score]\n...\n']],
    [['[score]\n', '[score]\n---\na: b\n']],
    'YAML_MULTI_DOC',
  ],
  ['V3 required', [['A demo.', '"x"']], [['A demo.', '']], 'FIELD_REQUIRED'],
  ['V3 empty text', [['A demo.', '"x"']], [['A demo.', '""']], 'FIELD_REQUIRED'],
  ['V3 octal', [['demo-v1', '"012"']], [['demo-v1', '012']], 'FIELD_TYPE'],
  ['V3 exponent', [['demo-v1', '"1e3"']], [['demo-v1', '1e3']], 'FIELD_TYPE'],
  ['V3 date', [['demo-v1', '"2024-01-31"']], [['demo-v1', '2024-01-31']], 'FIELD_TYPE'],
  ['V3 switch', [['demo-v1', '"on"']], [['demo-v1', 'on']], 'FIELD_TYPE'],
  ['V3 boolean', score('gpu: true'), score('gpu: on'), 'FIELD_TYPE'],
  ['V3 list', [['[prepare]', '[ prepare ]']], [['[prepare]', 'prepare']], 'FIELD_TYPE'],
  ['V4', [['v2\n', '"v2"\n']], [['v2\n', 'v3\n']], 'KRT_VERSION'],
  ['V5 id of 19', [['demo-v1', 'a'.repeat(19)]], [['demo-v1', 'a'.repeat(20)]], 'NAME_TOO_LONG'],
  [
    'V5 name of 40',
    [['demo-v1', `a${'_'.repeat(38)}b`]],
    [['demo-v1', `a${'_'.repeat(39)}b`]],
    'NAME_TOO_LONG',
  ],
  ['V5 characters', [['demo-v1', 'De mo_1-']], [['demo-v1', 'demo.1']], 'NAME_INVALID'],
  ['V5 no letter', [['demo-v1', '-1-']], [['demo-v1', '"- -"']], 'NAME_INVALID'],
  [
    'V5 workflow',
    [['name: intake', 'name: Save Client Metrics']],
    [['name: intake', 'name: Save Client Metricsx']],
    'NAME_TOO_LONG',
  ],
  [
    'V5 reserved node',
    [
      ['name: score', 'name: entrypoints'],
      ['[score]', '[entrypoints]'],
    ],
    [
      ['name: score', 'name: Entrypoint'],
      ['[score]', '[Entrypoint]'],
    ],
    'NAME_INVALID',
  ],
  [
    'V7 nodes',
    [
      ['name: score', 'name: A B'],
      ['name: reply', 'name: a-c'],
      ['exitpoint: reply', 'exitpoint: a-c'],
      ['[score]', '[A B]'],
    ],
    [
      ['name: score', 'name: A B'],
      ['name: reply', 'name: a-b'],
      ['exitpoint: reply', 'exitpoint: a-b'],
      ['[score]', '[A B]'],
    ],
    'NAME_DUPLICATE',
  ],
  [
    'V13 syntax',
    [['kre-py:1.0', `kre-py@sha256:${'a'.repeat(64)}`]],
    [['kre-py:1.0', 'kre-py@sha256:abc']],
    'IMAGE_SYNTAX',
  ],
  [
    'V13 registry',
    [['konstellation/kre-py', 'r.example:5000/Kre-py'.toLowerCase()]],
    [['konstellation/kre-py', 'konstellation/Kre-py']],
    'IMAGE_SYNTAX',
  ],
  [
    'V13 unknown',
    [
      ['kre-py', 'kre-ts'],
      ['score.py', 'score.ts'],
    ],
    [['kre-py', 'kre-rust']],
    'IMAGE_UNKNOWN',
  ],
  [
    'V13 entrypoint',
    [['kre-entrypoint', 'kre-runtime-entrypoint']],
    [['kre-entrypoint', 'kre-py']],
    'IMAGE_UNKNOWN',
  ],
  [
    'V13 floating',
    [['kre-py:1.0', 'kre-py:latest1']],
    [['kre-py:1.0', 'kre-py:latest']],
    'IMAGE_FLOATING',
  ],
  [
    'V13 no tag',
    [['kre-py:1.0', `kre-py:latest@sha256:${'0'.repeat(64)}`]],
    [['kre-py:1.0', 'kre-py']],
    'IMAGE_FLOATING',
  ],
  [
    'V12',
    [
      ['kre-py', 'kre-node'],
      ['score.py', 'score.mjs'],
    ],
    [['score.py', 'score.ts']],
    'SRC_RUNNER_MISMATCH',
  ],
  ['V14 missing', [['[prepare]', '[entrypoint]']], [['[prepare]', '[]']], 'SUBSCRIPTION_MISSING'],
  [
    'V14 absent',
    [['[prepare]', '[entrypoint]']],
    [['        subscriptions: [prepare]\n', '']],
    'SUBSCRIPTION_MISSING',
  ],
  [
    'V14 duplicate',
    [['[prepare]', '[prepare, prepare.x]']],
    [['[prepare]', '[prepare, prepare]']],
    'SUBSCRIPTION_DUPLICATE',
  ],
  [
    'V14 self',
    [['[prepare]', '[prepare, entrypoint]']],
    [['[prepare]', '[prepare, score]']],
    'SUBSCRIPTION_SELF',
  ],
  [
    'V15 node',
    [['[prepare]', '[prepare.rejected]']],
    [['[prepare]', '[prepar]']],
    'SUBSCRIPTION_UNKNOWN',
  ],
  [
    'V15 channel',
    [['[prepare]', `[prepare.${'c'.repeat(32)}]`]],
    [['[prepare]', `[prepare.${'c'.repeat(33)}]`]],
    'CHANNEL_INVALID',
  ],
  [
    'V15 channel token',
    [['[prepare]', '[prepare.A_b-1]']],
    [['[prepare]', '[prepare.a.b]']],
    'CHANNEL_INVALID',
  ],
  [
    'V15 channel of the entrypoint',
    [['[prepare]', '[entrypoint]']],
    [['[prepare]', '[entrypoint.a]']],
    'CHANNEL_INVALID',
  ],
  [
    'V15 declared channel',
    [...score('channels: [low]'), ['[score]', '[score.low]']],
    [...score('channels: [low]'), ['[score]', '[score.high]']],
    'CHANNEL_INVALID',
  ],
  [
    'V16',
    [['[prepare]', '[prepare, entrypoint]']],
    [['[prepare]', '[prepare, reply]']],
    'GRAPH_CYCLE',
  ],
  ['V17', [['[prepare]', '[entrypoint]']], [['[entrypoint]', '[reply]']], 'NODE_UNREACHABLE'],
  [
    'V18 unknown',
    [['exitpoint: reply', 'exitpoint: score']],
    [['exitpoint: reply', 'exitpoint: replay']],
    'EXITPOINT_UNKNOWN',
  ],
  [
    'V18 unreachable',
    [['[entrypoint]', '[ entrypoint ]']],
    [['[entrypoint]', '[reply]']],
    'EXITPOINT_UNREACHABLE',
  ],
  ['V19', [['[score]', '[score, prepare]']], [['[score]', '[prepare]']], 'NODE_SIDE_BRANCH'],
  ['V21 length', [['API_KEY', 'A'.repeat(64)]], [['API_KEY', 'A'.repeat(65)]], 'CONFIG_NAME'],
  ['V21 first character', [['API_KEY', 'A1']], [['API_KEY', '"1A"']], 'CONFIG_NAME'],
  ['V21 last character', [['API_KEY', 'A_1']], [['API_KEY', 'A_']], 'CONFIG_NAME'],
  ['V21 case', [['API_KEY', 'A']], [['API_KEY', 'a']], 'CONFIG_NAME'],
  ['V21 duplicate', [['- CERT', '- API_KEY2']], [['- CERT', '- API_KEY']], 'CONFIG_DUPLICATE'],
  ...(
    [
      ['PATHS', 'PATH'],
      ['MY_KRT_X', 'KRT_X'],
      ['KUBERNETES', 'KUBERNETES_HOST'],
      ['HOMES', 'HOME'],
      ['OLD_PATH', 'LD_PRELOAD'],
      ['NODE_OPTION', 'NODE_OPTIONS'],
      ['MY_PYTHON', 'PYTHONPATH'],
      ['PROXY', 'HTTPS_PROXY'],
      ['SSL_CERTS', 'SSL_CERT_FILE'],
      ['NATSX', 'NATS_URL'],
    ] as const
  ).map(([inside, outside]): Row => [
    `V21 reserved ${outside}`,
    [['API_KEY', inside]],
    [['API_KEY', outside]],
    'CONFIG_RESERVED',
  ]),
  ['V22 most', score('replicas: 100'), score('replicas: 101'), 'REPLICAS_RANGE'],
  ['V22 least', score('replicas: 0'), score('replicas: -1'), 'REPLICAS_RANGE'],
  ['V22 whole', score('replicas: 2'), score('replicas: 1.5'), 'FIELD_TYPE'],
  [
    'V23 name',
    score(`objectStore: {name: ${'f'.repeat(19)}}`),
    score(`objectStore: {name: ${'f'.repeat(20)}}`),
    'OBJECT_STORE_NAME',
  ],
  [
    'V23 characters',
    score('objectStore: {name: a-1}'),
    score('objectStore: {name: a_1}'),
    'OBJECT_STORE_NAME',
  ],
  [
    'V23 scope',
    score('objectStore: {name: a, scope: project}'),
    score('objectStore: {name: a, scope: global}'),
    'OBJECT_STORE_SCOPE',
  ],
  [
    'V25 description',
    [['A demo.', 'd'.repeat(500)]],
    [['A demo.', 'd'.repeat(501)]],
    'LIMIT_EXCEEDED',
  ],
  [
    'V25 config names',
    [['    - API_KEY\n', list(199, (i) => `    - A${i}\n`)]],
    [['    - API_KEY\n', list(200, (i) => `    - A${i}\n`)]],
    'LIMIT_EXCEEDED',
  ],
  [
    'V25 subscriptions',
    [['[prepare]', `[${list(49, (i) => `prepare.c${i}, `)}prepare]`]],
    [['[prepare]', `[${list(50, (i) => `prepare.c${i}, `)}prepare]`]],
    'LIMIT_EXCEEDED',
  ],
  [
    'V25 nodes',
    [['      - name: prepare', `${nodes(197)}      - name: prepare`]],
    [['      - name: prepare', `${nodes(198)}      - name: prepare`]],
    'LIMIT_EXCEEDED',
  ],
  [
    'V25 workflows',
    [['workflows:\n', `workflows:\n${workflows(49)}`]],
    [['workflows:\n', `workflows:\n${workflows(50)}`]],
    'LIMIT_EXCEEDED',
  ],
  [
    '8 resources',
    score('resources: {cpu: {request: 50m, limit: 1.5}}'),
    score('resources: {cpu: {request: 50q}}'),
    'RESOURCES_INVALID',
  ],
  [
    '8 limit below request',
    score('resources: {memory: {request: 1Gi, limit: 1024Mi}}'),
    score('resources: {memory: {request: 1Gi, limit: 1023Mi}}'),
    'RESOURCES_INVALID',
  ],
  ['8 timeoutMs', score('timeoutMs: 1'), score('timeoutMs: 0'), 'FIELD_RANGE'],
  [
    '8 retries',
    score('retries: {max: 100, backoffMs: 0}'),
    score('retries: {max: 101}'),
    'FIELD_RANGE',
  ],
  ['8 onError', score('onError: continue'), score('onError: ignore'), 'FIELD_VALUE'],
  ['8 concurrency', score('concurrency: 1'), score('concurrency: 0'), 'FIELD_RANGE'],
  ['8 gpu', score('gpu: {count: 1, class: a100}'), score('gpu: {count: 0}'), 'FIELD_RANGE'],
  [
    '8 durability',
    [['[prepare]', '[{from: prepare, durability: fast}]']],
    [['[prepare]', '[{from: prepare, durability: durable}]']],
    'NOT_SUPPORTED_YET',
  ],
  [
    'paths with ".."',
    [['src/score.py', './src/..a.py']],
    [['src/score.py', 'src/../score.py']],
    'PATH_INVALID',
  ],
  [
    'absolute paths',
    [['src/score.py', 'score.py']],
    [['src/score.py', '/score.py']],
    'PATH_INVALID',
  ],
  [
    'proto suffix',
    [['public_input.proto', 'api/p.proto']],
    [['public_input.proto', 'api/p.protos']],
    'PATH_INVALID',
  ],
]

function nodes(count: number): string {
  return list(
    count,
    (i) =>
      `      - {name: n${i}, image: konstellation/kre-ts:1, src: a.ts, subscriptions: [entrypoint]}\n`,
  )
}
function workflows(count: number): string {
  const node = '{name: n, image: konstellation/kre-ts:1, src: a.ts, subscriptions: [entrypoint]}'
  return list(
    count,
    (i) => `  - {name: w${i}, entrypoint: R${i}, exitpoint: n, nodes: [${node}]}\n`,
  )
}

describe('the rules of graphs', () => {
  test('say nothing about the sample', () => {
    expect(codes(GRAPH, { files: GRAPH_FILES })).toEqual([])
  })

  test.each(ROWS)('%s', (_rule, inside, outside, code) => {
    expect(codes(edit(GRAPH, ...inside))).not.toContain(code)
    const accepted = verdict(edit(GRAPH, ...inside)).filter((line) => line.includes(' error '))
    expect(accepted).toEqual([])
    expect(codes(edit(GRAPH, ...outside))).toContain(code)
  })
})

describe('the rules of linear workflows', () => {
  test('say nothing about the sample', () => {
    expect(codes(LINEAR)).toEqual([])
  })

  test.each<Row>([
    [
      'V7 workflows',
      [['name: New prediction', 'name: Save Client Metrix']],
      [['name: New prediction', 'name: save-client-metrics']],
      'NAME_DUPLICATE',
    ],
    [
      'V7 nodes',
      [
        ['name: ETL', 'name: Create-Outputs'],
        ['- ETL\n', '- create-outputs\n'],
      ],
      [
        ['name: ETL', 'name: create-output'],
        ['- ETL\n', '- create-output\n'],
      ],
      'NAME_DUPLICATE',
    ],
    [
      'V7 a node twice in a line',
      [['- ETL\n', '- etl\n']],
      [['- ETL\n', '- ETL\n      - etl\n']],
      'NAME_DUPLICATE',
    ],
    [
      'V8',
      [['SaveClientMetric\n', 'MakePredictions\n']],
      [['SaveClientMetric\n', 'MakePrediction\n']],
      'ENTRYPOINT_DUPLICATE',
    ],
    [
      'V20 unknown',
      [['      - Execute DL Model', '      - execute-dl-model']],
      [['      - Execute DL Model', '      - Execute Model']],
      'SEQUENTIAL_UNKNOWN',
    ],
    [
      'V20 empty',
      [['sequential:\n      - Client Metrics\n', 'sequential: [Client Metrics]\n']],
      [['sequential:\n      - Client Metrics\n', 'sequential: []\n']],
      'SEQUENTIAL_EMPTY',
    ],
    [
      'V20 empty by omission',
      [['sequential:\n      - Client Metrics\n', 'sequential: [Client Metrics]\n']],
      [['      - Client Metrics\n', '']],
      'SEQUENTIAL_EMPTY',
    ],
    [
      'foreign exitpoint',
      [['entrypoint: MakePrediction\n', 'entrypoint: MakePrediction\n    type: data\n']],
      [['entrypoint: MakePrediction\n', 'entrypoint: MakePrediction\n    exitpoint: ETL\n']],
      'FIELD_GENERATION',
    ],
    [
      'foreign subscriptions',
      [['name: ETL\n', 'name: ETL\n    replicas: 2\n']],
      [['name: ETL\n', 'name: ETL\n    subscriptions: [entrypoint]\n']],
      'FIELD_GENERATION',
    ],
  ])('%s', (_rule, inside, outside, code) => {
    const accepted = verdict(edit(LINEAR, ...inside)).filter((line) => line.includes(' error '))
    expect(accepted).toEqual([])
    expect(codes(edit(LINEAR, ...outside))).toContain(code)
  })

  test('V20 warns of a node that no workflow uses', () => {
    expect(verdict(edit(LINEAR, ['      - Execute DL Model\n', '']))).toEqual([
      '19:5 warning NODE_UNUSED',
    ])
  })
})

describe('V2, unknown keys', () => {
  test.each<[string, string, string]>([
    ['two letters from a known key', 'replicaz', 'error'],
    ['in the other case', 'REPLICAS', 'error'],
    ['three letters from any', 'replizaz1', 'warning'],
    ['like nothing known', 'owner', 'warning'],
  ])('%s', (_what, key, level) => {
    const text = edit(GRAPH, ...score(`${key}: 3`))
    expect(verdict(text)).toEqual([`24:9 ${level} YAML_UNKNOWN_KEY`])
    expect(verdict(text, { strict: true })).toEqual(['24:9 error YAML_UNKNOWN_KEY'])
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is one', (key) => {
    expect(verdict(edit(GRAPH, ['krtVersion', `${key}: {polluted: yes}\nkrtVersion`]))).toEqual([
      '1:1 warning YAML_UNKNOWN_KEY',
    ])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('what needs the bundle', () => {
  const unary = {
    requestType: 'a.Q',
    responseType: 'a.R',
    clientStreaming: false,
    serverStreaming: false,
  }
  const service = { name: 'a.Entrypoint', methods: [{ rpc: 'Classify', ...unary }] }
  const method = service.methods[0]!

  test.each<[string, string, Partial<ManifestContext>, string[]]>([
    [
      'V9 without its proto',
      GRAPH,
      { files: without('public_input.proto') },
      ['5:10 error PROTO_MISSING'],
    ],
    [
      'V11 without its code',
      GRAPH,
      { files: without('src/score.py') },
      ['23:14 error SRC_MISSING'],
    ],
    [
      'V11 with a path in the form ./',
      edit(GRAPH, ['src/score', './src/score']),
      { files: GRAPH_FILES },
      [],
    ],
    ['V10 with its rpc', GRAPH, { service }, []],
    [
      'V10 with another rpc',
      edit(GRAPH, ['Classify', 'Classiphy']),
      { service },
      ['5:10 warning RPC_UNUSED', '14:17 error RPC_UNKNOWN'],
    ],
    ['V10 without a compiled proto', edit(GRAPH, ['Classify', 'Other']), { service: null }, []],
    [
      'V10 with a name that no rpc can have',
      edit(GRAPH, ['Classify', 'Classify it']),
      {},
      ['14:17 error RPC_UNKNOWN'],
    ],
    [
      'V10 with an rpc that takes a stream',
      GRAPH,
      { service: { ...service, methods: [{ ...method, clientStreaming: true }] } },
      ['14:17 error RPC_STREAMING'],
    ],
    [
      'V10 with an rpc that takes and returns a stream',
      GRAPH,
      {
        service: {
          ...service,
          methods: [{ ...method, clientStreaming: true, serverStreaming: true }],
        },
      },
      ['14:17 error RPC_STREAMING'],
    ],
    [
      'V10 with an rpc that returns a stream',
      GRAPH,
      { service: { ...service, methods: [{ ...method, serverStreaming: true }] } },
      [],
    ],
    [
      'V26 without its type',
      GRAPH,
      { service: { ...service, methods: [{ ...method, responseType: '' }] } },
      ['5:10 error PROTO_TYPE'],
    ],
    ['V13 on the list', GRAPH, { images: { allow: ['konstellation/*:1.0'] } }, []],
    [
      'V13 not on the list',
      GRAPH,
      { images: { allow: ['konstellation/kre-[a-z]*', '*-ts:*', '*entrypoint*'] } },
      ['22:16 error IMAGE_NOT_ALLOWED'],
    ],
    [
      'V13 with an image of its own',
      edit(GRAPH, ['kre-py', 'acme-gpu']),
      { images: { runners: { 'acme-gpu': 'python' } } },
      [],
    ],
  ])('%s', (_what, text, context, expected) => {
    expect(verdict(text, context)).toEqual(expected)
  })

  function without(path: string): ReadonlySet<string> {
    return new Set([...GRAPH_FILES].filter((file) => file !== path))
  }
})

describe('batches', () => {
  const batchOf = (line: string) => {
    const result = parseManifest(edit(GRAPH, ...score(line)), { file: 'kre.yaml' })
    return result.ok ? result.manifest.workflows[0]?.nodes.find((node) => node.batch)?.batch : null
  }

  test.each([
    ['batch: {maxSize: 1}', { maxSize: 1, maxDelayMs: 0 }],
    ['batch: {maxSize: 1024, maxDelayMs: 1000}', { maxSize: 1024, maxDelayMs: 1000 }],
    ['batch: {maxSize: 8, maxWaitMs: 5}', { maxSize: 8, maxDelayMs: 5 }],
  ])('%s is read', (line, batch) => {
    expect(batchOf(line)).toEqual(batch)
  })

  test.each([
    ['batch: {maxSize: 0}', 'FIELD_RANGE'],
    ['batch: {maxSize: 1025}', 'FIELD_RANGE'],
    ['batch: {maxSize: 1.5}', 'FIELD_TYPE'],
    ['batch: {maxDelayMs: 5}', 'FIELD_REQUIRED'],
    ['batch: {maxSize: 8, maxDelayMs: -1}', 'FIELD_RANGE'],
    ['batch: {maxSize: 8, maxDelayMs: 1001}', 'FIELD_RANGE'],
    ['batch: {maxSize: 8, maxDelayMs: 5, maxWaitMs: 5}', 'FIELD_VALUE'],
    ['batch: {maxSize: 8, size: 2}', 'YAML_UNKNOWN_KEY'],
    ['batch: true', 'FIELD_TYPE'],
  ])('%s is refused', (line, code) => {
    expect(codes(edit(GRAPH, ...score(line)))).toEqual([code])
  })
})

describe('limits of a workflow', () => {
  const withLimits = (line: string) =>
    edit(GRAPH, ['exitpoint: reply\n', `exitpoint: reply\n    ${line}\n`])

  test.each([
    ['limits: {maxInFlight: 8}', { maxInFlight: 8 }],
    [
      'limits: {maxInFlight: 1, maxBytes: 64Mi, maxQueueAgeMs: 250}',
      { maxInFlight: 1, maxBytes: 67_108_864, maxQueueAgeMs: 250 },
    ],
    ['limits: {maxBytes: 1000}', { maxBytes: 1_000 }],
    ['limits: {}', undefined],
  ])('%s is read', (line, limits) => {
    const result = parseManifest(withLimits(line), { file: 'kre.yaml' })
    expect(result.ok && result.manifest.workflows[0]?.limits).toEqual(limits)
  })

  test.each([
    ['limits: {maxInFlight: 0}', 'FIELD_RANGE'],
    ['limits: {maxInFlight: many}', 'FIELD_TYPE'],
    ['limits: {maxBytes: 0}', 'FIELD_VALUE'],
    ['limits: {maxBytes: 64 MB}', 'FIELD_VALUE'],
    ['limits: {maxBytes: 2Ti}', 'FIELD_VALUE'],
    ['limits: {maxQueueAgeMs: 0}', 'FIELD_RANGE'],
    ['limits: {queueAge: 5}', 'YAML_UNKNOWN_KEY'],
    ['limits: 5', 'FIELD_TYPE'],
  ])('%s is refused', (line, code) => {
    expect(codes(withLimits(line))).toEqual([code])
  })
})

describe('the range of replicas of a node', () => {
  test.each([
    ['autoscaling: {min: 3, max: 1}', ['FIELD_RANGE']],
    ['autoscaling: {min: 3, max: 3}', []],
    ['autoscaling: {min: -1}', ['FIELD_RANGE']],
    ['autoscaling: {max: 0}', ['FIELD_RANGE']],
    ['autoscaling: {max: 100}', []],
    ['autoscaling: {max: 101}', ['FIELD_RANGE']],
    ['autoscaling: {targetInFlight: 0}', ['FIELD_RANGE']],
    ['autoscaling: {targetInFlight: 1.5}', ['FIELD_TYPE']],
    ['autoscaling: {targetQueueAgeMs: 0}', ['FIELD_RANGE']],
    ['autoscaling: {idleMs: 999}', ['FIELD_RANGE']],
    ['autoscaling: {idleMs: 1000}', []],
    ['autoscaling: {idle: 1000}', ['YAML_UNKNOWN_KEY']],
    ['autoscaling: true', ['FIELD_TYPE']],
  ])('%s: %j', (line, expected) => {
    expect(codes(edit(GRAPH, ...score(line)))).toEqual(expected)
  })

  test('takes the place of a number, which is said', () => {
    const text = edit(GRAPH, ...score('replicas: 2\n        autoscaling: {min: 0}'))
    expect(verdict(text)).toEqual([expect.stringMatching(/^\d+:9 warning FIELD_IGNORED$/)])
  })
})

describe('fields that are not supported yet', () => {
  test.each<[string, string]>([
    ['autoscaling: {min: 1, max: 3, targetCpuPercent: 80}', 'warning'],
    ['nodeSelectors: {disk: ssd}', 'warning'],
    ['config: {threshold: "0.5"}', 'warning'],
    ['objectStore: {name: a, ttl: 5d}', 'warning'],
    ['maxRevisits: 3', 'error'],
    ['secrets: [token]', 'error'],
  ])('%s is a %s', (line, level) => {
    expect(
      verdict(edit(GRAPH, ...score(line))).map((issue) => issue.split(' ').slice(1).join(' ')),
    ).toEqual([`${level} NOT_SUPPORTED_YET`])
  })

  test.each<[string, string]>([
    ['nodeSelectors: {"a b": ssd}', 'FIELD_VALUE'],
    ['objectStore: {name: a, ttl: soon}', 'FIELD_VALUE'],
    ['secrets: token', 'FIELD_TYPE'],
  ])('%s is checked for its shape all the same', (line, code) => {
    expect(codes(edit(GRAPH, ...score(line)))).toContain(code)
  })

  test('durable acceptance is refused, sync is not', () => {
    const text = (mode: string) =>
      edit(GRAPH, ['exitpoint: reply\n', `exitpoint: reply\n    durability: ${mode}\n`])
    expect(verdict(text('sync'))).toEqual([])
    expect(verdict(text('accepted'))).toEqual(['16:5 error NOT_SUPPORTED_YET'])
  })

  test('triggers are checked and warned of', () => {
    const text = edit(GRAPH, [
      'workflows:\n',
      'triggers:\n  - {workflow: intake, cron: {schedule: "* * * * *", message: {a: 1}}}\n  - rest: {}\nworkflows:\n',
    ])
    expect(verdict(text)).toEqual([
      '13:5 warning NOT_SUPPORTED_YET',
      '14:5 error FIELD_REQUIRED',
      '14:5 warning NOT_SUPPORTED_YET',
    ])
  })

  test('the source of a hand-written entrypoint is ignored with a warning', () => {
    const text = edit(GRAPH, ['  proto:', '  src: src/entrypoint.py\n  proto:'])
    expect(verdict(text)).toEqual(['5:3 warning FIELD_IGNORED'])
  })

  test('a default of a name that is not declared is warned of', () => {
    const text = edit(GRAPH, ['  files:\n', '  defaults: {API_KEY: "1", API_KEX: "2"}\n  files:\n'])
    expect(verdict(text)).toEqual(['10:28 warning NOT_SUPPORTED_YET'])
  })
})
