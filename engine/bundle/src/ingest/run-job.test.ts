import { join } from 'node:path'
import { readdir } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { krtOf } from '../testing/build-tar.ts'
import { inChunks } from '../testing/read-in-memory.ts'
import { SAMPLE_FILES, SAMPLE_MANIFEST } from '../testing/sample-bundle.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import type { ValidatorAnswer } from './child-protocol.ts'
import { runJob } from './run-job.ts'

type Files = Readonly<Record<string, string | Uint8Array>>

/** The work of the child process, done in this one. */
async function run(source: Files | Buffer, archive = 'a.krt'): Promise<ValidatorAnswer> {
  await using scratch = await temporaryFolder()
  const parts = Object.entries(source).map(([path, content]) => ({ path, content }))
  const answer = await runJob(
    {
      source: { kind: 'stdin' },
      scratch: scratch.path,
      archive: join(scratch.path, archive),
      versionName: null,
      strict: false,
      limits: {},
    },
    inChunks(Buffer.isBuffer(source) ? source : krtOf(parts)),
  )
  const written = (await readdir(scratch.path)).includes(archive)
  expect(written).toBe(answer.kind === 'accepted')
  return answer
}

function accepted(answer: ValidatorAnswer): Extract<ValidatorAnswer, { kind: 'accepted' }> {
  if (answer.kind !== 'accepted') throw new Error(JSON.stringify(answer))
  return answer
}

function issuesOf(answer: ValidatorAnswer) {
  if (answer.kind !== 'rejected') throw new Error(`the answer is ${answer.kind}`)
  return answer.issues
}

describe('runJob', () => {
  test('lists docs and dashboards', async () => {
    const files = {
      ...SAMPLE_FILES,
      'docs/README.md': '# Hello',
      'metrics/dashboards/a.json': '{}',
      'metrics/dashboards/b.json': '{',
      'metrics/dashboards/nested/c.json': '{}',
    }
    const { facts, issues } = accepted(await run(files))
    expect(facts.hasDoc).toBe(true)
    expect(facts.dashboards).toEqual(['metrics/dashboards/a.json', 'metrics/dashboards/b.json'])
    expect(issues).toMatchObject([{ code: 'DASHBOARD_INVALID', file: 'metrics/dashboards/b.json' }])
    expect(facts.issues).toEqual(issues)
  })

  test('stops at the hundredth wrong dashboard', async () => {
    const dashboards = Array.from({ length: 150 }, (_, i) => [`metrics/dashboards/${i}.json`, '{'])
    const { issues } = accepted(await run({ ...SAMPLE_FILES, ...Object.fromEntries(dashboards) }))
    expect(issues).toHaveLength(101)
    expect(issues.at(-1)?.message).toMatch(/^further dashboards were not checked/)
  })

  test.each(['kre.yaml', 'kre.yml', 'krt.yaml', 'krt.yml'])(
    'takes a manifest named %s',
    async (name) => {
      const { 'kre.yaml': manifest = '', ...rest } = SAMPLE_FILES
      accepted(await run({ ...rest, [name]: manifest }))
    },
  )
})

describe('runJob on bundles that are refused', () => {
  const refused: [string, Files | Buffer, string[]][] = [
    ['no manifest', { 'src/a.py': '' }, ['MANIFEST_MISSING']],
    ['a manifest in a folder', { 'my/kre.yaml': SAMPLE_MANIFEST }, ['MANIFEST_MISSING']],
    ['two manifests', { ...SAMPLE_FILES, 'krt.yml': '' }, ['MANIFEST_AMBIGUOUS']],
    ['no proto', without('public_input.proto'), ['PROTO_MISSING']],
    ['no source', without('src/reply.py'), ['SRC_MISSING']],
    [
      'a huge manifest',
      { ...SAMPLE_FILES, 'kre.yaml': `#${'x'.repeat(262_144)}` },
      ['YAML_TOO_LARGE'],
    ],
    [
      'a manifest in Latin-1',
      { ...SAMPLE_FILES, 'kre.yaml': Buffer.from([0xe9]) },
      ['YAML_ENCODING'],
    ],
    ['broken Python', { ...SAMPLE_FILES, 'src/reply.py': 'def f(\n' }, ['SRC_SYNTAX']],
    ['broken TypeScript', { ...SAMPLE_FILES, 'src/prepare.ts': 'const a: = 1\n' }, ['SRC_SYNTAX']],
    ['no archive', Buffer.from('hello'), ['ARCHIVE_FORMAT']],
    ['an escape', krtOf([{ path: '../evil' }]), ['ARCHIVE_PATH']],
  ]

  test.each(refused)('refuses %s', async (_what, files, codes) => {
    expect(issuesOf(await run(files)).map(({ code }) => code)).toEqual(codes)
  })

  test('reports the mistakes of manifest, protos and sources in one answer', async () => {
    const files = {
      'kre.yaml': `krtVersion: v2
version: Not A Name!
description: ${'x'.repeat(501)}
entrypoint: { proto: public_input.proto, image: "bad image" }
config:
  variables: [lower, PATH, TWICE, TWICE]
workflows:
  - name: intake
    entrypoint: Clasify
    exitpoint: replay
    nodes:
      - { name: prepare, image: konstellation/kre-ts:1, src: src/prepare.ts, subscriptions: [entrypoint, entrypoint] }
      - { name: reply, image: konstellation/kre-py:1, src: src/reply.py, subscriptions: [prepar], replicas: 101 }
      - { name: alone, image: konstellation/kre-py:1, src: src/missing.py, subscriptions: [alone] }
      - { name: loop-a, image: konstellation/kre-py:1, src: src/reply.py, subscriptions: [loop-b] }
      - { name: loop-b, image: konstellation/kre-py:1, src: src/reply.py, subscriptions: [loop-a] }
      - { name: mute, image: konstellation/kre-py:1, src: src/reply.py, subscriptions: [] }
`,
      'public_input.proto': `syntax = "proto3";
message In { Nowhere a = 1; int32 b = 0; }
service Entrypoint { rpc Classify (In) returns (Out); }
`,
      'src/prepare.ts': 'export const a: number =\n',
      'src/reply.py': 'def f(:\n',
    }
    const issues = issuesOf(await run(files))
    const errors = issues.filter(({ level }) => level === 'error')
    expect(errors.length).toBeGreaterThanOrEqual(20)
    expect(new Set(errors.map(({ file }) => file))).toEqual(new Set(Object.keys(files)))
    expect(errors.every(({ line, column }) => line > 0 && column > 0)).toBe(true)
  })
})

function without(path: string): Files {
  return Object.fromEntries(Object.entries(SAMPLE_FILES).filter(([name]) => name !== path))
}

describe('runJob on the sample of the first release', () => {
  const SEED = `version: my-project-v1
description: This is the new version that solves some problems.
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-runtime-entrypoint:latest

config:
  variables:
    - API_KEY
    - API_SECRET
  files:
    - HTTPS_CERT

nodes:
  - name: ETL
    image: konstellation/kre-py:latest
    src: src/etl/execute_etl.py

  - name: Execute DL Model
    image: konstellation/kre-py:latest
    src: src/execute_model/execute_model.py

  - name: Create Output
    image: konstellation/kre-py:latest
    src: src/output/output.py

  - name: Client Metrics
    image: konstellation/kre-py:latest
    src: src/client_metrics/client_metrics.py

workflows:
  - name: New prediction
    entrypoint: MakePrediction
    sequential:
      - ETL
      - Execute DL Model
      - Create Output
  - name: Save Client Metrics
    entrypoint: SaveClientMetric
    sequential:
      - Client Metrics
`
  const handler = 'async def handler(ctx, data):\n    return data\n'
  const seed = {
    'kre.yaml': SEED,
    'public_input.proto': `syntax = "proto3";
message Request {}
message Response {}
service Entrypoint {
  rpc MakePrediction (Request) returns (Response);
  rpc SaveClientMetric (Request) returns (Response);
}
`,
    'src/etl/execute_etl.py': handler,
    'src/execute_model/execute_model.py': handler,
    'src/output/output.py': handler,
    'src/client_metrics/client_metrics.py': handler,
  }

  test('accepts it as written', async () => {
    const { facts } = accepted(await run(seed))
    expect(facts.manifest.workflows.map(({ id, exitpoint }) => ({ id, exitpoint }))).toEqual([
      { id: 'new-prediction', exitpoint: 'create-output' },
      { id: 'save-client-metrics', exitpoint: 'client-metrics' },
    ])
    expect(facts.methods.map(({ path, workflow }) => ({ path, workflow }))).toEqual([
      { path: '/Entrypoint/MakePrediction', workflow: 'new-prediction' },
      { path: '/Entrypoint/SaveClientMetric', workflow: 'save-client-metrics' },
    ])
  })

  test('reports exactly one error when its proto is not there', async () => {
    const { 'public_input.proto': proto, ...rest } = seed
    expect(proto).toBeDefined()
    const errors = issuesOf(await run(rest)).filter(({ level }) => level === 'error')
    expect(errors.map(({ code }) => code)).toEqual(['PROTO_MISSING'])
  })
})
