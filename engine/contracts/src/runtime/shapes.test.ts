import { describe, expect, test } from '@jest/globals'
import * as launch from '../launch.ts'
import * as messages from '../messages.ts'
import * as allShapes from './shapes.ts'

const NATS = {
  servers: ['127.0.0.1:4222'],
  user: 'u',
  password: 'p',
  credentials: { jwt: 'j', seed: 's', expiresUnixMs: 1, renewalPath: 'nats.json' },
  inboxPrefix: '_INBOX.rt',
  tls: { ca: 'c', cert: 'd', key: 'k', serverName: 'nats', handshakeFirst: true },
}
const PLACE = { nats: NATS, replica: 0, drainMs: 1_000, engineAbsenceMs: 60_000 }

/** One full value of each; every change of it below must be judged alike by shape and schema. */
const SAMPLES = {
  NatsAccess: NATS,
  NatsCredentials: NATS.credentials,
  NatsRenewal: { ...NATS.credentials, tls: NATS.tls },
  NodeLaunch: {
    kind: 'node',
    runtimeId: 'rt',
    version: 'v1',
    versionId: 'id',
    bundleDigest: 'sha256:00',
    workflow: 'wf',
    workflowName: 'Workflow',
    node: 'etl',
    nodeName: 'ETL',
    image: 'kre/typescript',
    runner: 'typescript',
    src: 'src/etl.ts',
    subscriptions: [{ from: 'entrypoint', channel: null, durability: 'fast' }],
    outputs: [null, 'alarms'],
    sleeperOutputs: [null, 'alarms'],
    isExitpoint: true,
    requestType: 'a.A',
    responseType: 'a.B',
    serverStreaming: true,
    payloadBytesMax: 1_000,
    concurrency: 4,
    batch: { maxSize: 8, maxDelayMs: 5 },
    timeoutMs: null,
    maxQueueAgeMs: 250,
    retries: { max: 1, backoffMs: 100 },
    objectBucket: null,
    keyValueBuckets: { project: 'p', workflow: 'w', node: 'n' },
    config: { variables: { A: '1' }, files: {} },
    ...PLACE,
    basePath: '/bundle',
    descriptorSetPath: '/descriptors.bin',
    strippedPath: '/stripped',
    workPath: '/work',
    python: { executable: '/usr/bin/python3', path: ['/modules'] },
  },
  EntrypointLaunch: {
    kind: 'entrypoint',
    runtimeId: 'rt',
    version: null,
    versionId: 'id',
    requestTimeoutMs: 30_000,
    payloadBytesMax: 1_000,
    reflection: true,
    ...PLACE,
    listen: { host: '127.0.0.1', port: 0 },
  },
  VersionInterface: {
    runtimeId: 'rt',
    version: 'v1',
    versionId: 'id',
    bundleDigest: 'sha256:00',
    methods: [
      {
        path: '/a.Entrypoint/B',
        rpc: 'B',
        requestType: 'a.A',
        responseType: 'a.B',
        serverStreaming: false,
        workflow: null,
      },
    ],
    workflows: [
      {
        id: 'wf',
        timeoutMs: 10,
        isChain: true,
        limits: { maxInFlight: 1, maxBytes: 2, maxQueueAgeMs: 3 },
        nodes: ['etl'],
        sleepers: ['etl'],
      },
    ],
    descriptorSet: '',
  },
  RoutingTable: { generation: 3, published: 'v1' },
  Announcement: {
    role: 'node',
    runtimeId: 'rt',
    version: 'v1',
    workflow: null,
    node: 'etl',
    replica: 0,
    incarnation: 'uuid',
    pid: 1,
    bundleDigest: null,
    state: 'draining',
    interrupted: ['id'],
    address: null,
  },
  DeathNotice: { workflow: 'wf', node: 'etl', replica: 0, pid: 1, interrupted: [], reason: 'why' },
  Cancellation: { requestIds: ['a', 'b'] },
  StoredReply: { success: false, error: 'full' },
  FindReply: { success: true, documents: [{ a: 1 }] },
} as const
const SCHEMAS = { ...launch, ...messages }
const shapes = { ...allShapes }

describe.each(Object.keys(SAMPLES) as (keyof typeof SAMPLES)[])('the shape of %s', (name) => {
  const sample = SAMPLES[name]
  const changes = [...changed(sample)]

  test('takes what its schema takes', () => {
    expect(shapes[name].parse(sample)).toEqual(SCHEMAS[name].parse(sample))
  })

  test('judges every changed field as its schema does', () => {
    const judged = changes.map(({ change, value }) => ({
      change,
      byShape: shapes[name].safeParse(value).success,
      bySchema: SCHEMAS[name].safeParse(value).success,
    }))
    expect(judged.filter(({ byShape, bySchema }) => byShape !== bySchema)).toEqual([])
    expect(judged.filter(({ bySchema }) => !bySchema).length).toBeGreaterThan(0)
  })
})

test('an error names the field and the message', () => {
  const { nats: _, ...rest } = SAMPLES.NodeLaunch
  expect(() => shapes.NodeLaunch.parse(rest)).toThrow('the launch file.nats is no object')
  expect(() => shapes.Cancellation.parse({ requestIds: [1] })).toThrow(
    'the cancellation.requestIds[0] is no string',
  )
})

test('a FindReply that failed has its own fields', () => {
  for (const value of [
    { success: false, error: 'why' },
    { success: false },
    { success: 'no', error: 'why' },
    {},
  ])
    expect(shapes.FindReply.safeParse(value).success).toBe(
      messages.FindReply.safeParse(value).success,
    )
})

/** The value with each field, at any depth, left out or replaced by something of each other kind. */
function* changed(value: unknown, path = ''): Generator<{ change: string; value: unknown }> {
  for (const other of [undefined, null, 0, Number.NaN, 'other', true, false, [], {}, [0], { a: 0 }])
    yield { change: `${path} = ${JSON.stringify(other)}`, value: other }
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    const at = (replacement: unknown) =>
      Array.isArray(value)
        ? value.toSpliced(Number(key), 1, replacement)
        : { ...value, [key]: replacement }
    for (const { change, value: replacement } of changed(inner, `${path}.${key}`))
      yield { change, value: at(replacement) }
    if (Array.isArray(value)) continue
    const { [key as keyof typeof value]: _, ...rest } = value
    yield { change: `without ${path}.${key}`, value: rest }
  }
  if (!Array.isArray(value)) yield { change: `${path} with more`, value: { ...value, more: '' } }
}
