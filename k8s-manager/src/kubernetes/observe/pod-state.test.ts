import { describe, expect, test } from '@jest/globals'
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node'
import { podState } from './pod-state.ts'

const CREATED = '2026-01-01T00:00:00Z'
const createdMs = Date.parse(CREATED)
const UID = 'ffffffff-0000-4000-8000-000000000000'

function pod(status: object, metadata: object = {}): V1Pod {
  return {
    metadata: {
      uid: UID,
      // Watched objects are JSON: their times are texts.
      creationTimestamp: CREATED as unknown as Date,
      annotations: { 'kre.dev/spec-hash': 'h1' },
      ...metadata,
    },
    status,
  }
}

function withContainer(own: Partial<V1ContainerStatus>, prepare?: object): V1Pod {
  const container = { name: 'node', image: '', imageID: '', ready: false, restartCount: 0, ...own }
  return pod({
    phase: 'Running',
    ...(prepare === undefined
      ? {}
      : { initContainerStatuses: [{ name: 'prepare', restartCount: 0, ...prepare }] }),
    containerStatuses: [container],
  })
}

const see = (one: V1Pod, afterMs = 1_000) => podState(one, createdMs + afterMs, 60_000)

describe('a pod', () => {
  test('is ready when the cluster says so', () => {
    const running = { startedAt: '2026-01-01T00:00:05Z' as unknown as Date }
    const ready = withContainer({ ready: true, started: true, state: { running } })
    Object.assign(ready.status ?? {}, { conditions: [{ type: 'Ready', status: 'True' }] })
    expect(see(ready)).toEqual({
      replica: 0x7fffffff,
      state: 'ready',
      specHash: 'h1',
      pid: null,
      startedAt: new Date('2026-01-01T00:00:05Z'),
      restarts: 0,
      isOverdue: false,
      reason: '',
    })
  })
  test('says for ten minutes why it was started again, also when it works', () => {
    const finishedAt = '2026-01-01T00:00:05Z' as unknown as Date
    const terminated = { exitCode: 137, reason: 'OOMKilled', finishedAt }
    const again = withContainer({ ready: true, restartCount: 1, lastState: { terminated } })
    Object.assign(again.status ?? {}, { conditions: [{ type: 'Ready', status: 'True' }] })
    expect(see(again, 60_000)).toMatchObject({
      state: 'ready',
      reason: expect.stringMatching(
        /^was started again after this: OOMKilled: it used more memory/,
      ),
    })
    expect(see(again, 11 * 60_000)).toMatchObject({ state: 'ready', reason: '' })
  })
  test('is stopping as soon as it is told to end, ready or not', () => {
    const ending = pod(
      { conditions: [{ type: 'Ready', status: 'True' }] },
      { deletionTimestamp: CREATED as unknown as Date },
    )
    expect(see(ending)).toMatchObject({ state: 'stopping', isOverdue: false })
  })
  test('is starting before anything is known of it, and overdue after its time', () => {
    expect(see(pod({}))).toMatchObject({ state: 'starting', reason: '', isOverdue: false })
    expect(see(pod({}), 61_000)).toMatchObject({
      state: 'starting',
      isOverdue: true,
      reason: 'is not ready after 60 s',
    })
  })
})

describe('why a pod is not ready', () => {
  const waiting = (reason: string, message = 'm') =>
    withContainer({ state: { waiting: { reason, message } } })
  const ended = (terminated: object, restartCount = 1) =>
    withContainer({
      restartCount,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { exitCode: 1, ...terminated } },
    })

  test.each<[string, V1Pod, object]>([
    [
      'no machine takes it',
      pod({
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.',
          },
        ],
      }),
      {
        state: 'starting',
        reason: expect.stringMatching(/^Unschedulable: .*3 Insufficient nvidia/),
      },
    ],
    [
      'the image is not there yet',
      waiting('ErrImagePull', 'not found'),
      { state: 'starting', isOverdue: false, reason: expect.stringMatching(/not found/) },
    ],
    [
      'the image is not there',
      waiting('ImagePullBackOff', 'not found'),
      { state: 'backoff', isOverdue: true, reason: expect.stringMatching(/^ImagePullBackOff: /) },
    ],
    ['the name of the image is no name', waiting('InvalidImageName'), { isOverdue: true }],
    ['its Secret is not there', waiting('CreateContainerConfigError'), { isOverdue: true }],
    [
      'it ends again and again',
      ended({ message: 'Error: no model\u0000\n' }),
      {
        state: 'backoff',
        restarts: 1,
        reason: 'CrashLoopBackOff: exited with code 1: Error: no model',
      },
    ],
    [
      'it said nothing',
      ended({}),
      { reason: 'CrashLoopBackOff: exited with code 1; it wrote nothing' },
    ],
    [
      'it needs more memory',
      ended({ exitCode: 137, reason: 'OOMKilled' }),
      { state: 'backoff', reason: expect.stringMatching(/^OOMKilled: /) },
    ],
    [
      'its probe ended it',
      ended({ exitCode: 137, reason: 'Error' }),
      {
        reason: expect.stringMatching(
          /killed with code 137 \(its liveness or startup probe failed/,
        ),
      },
    ],
    [
      'it does not answer',
      withContainer({ started: true, state: { running: {} } }),
      { state: 'starting', reason: expect.stringMatching(/^ProbeFailed: /) },
    ],
    [
      'it has only begun',
      withContainer({ started: false, state: { running: {} } }),
      { state: 'starting', reason: '' },
    ],
    [
      'its bundle is not there',
      withContainer(
        {},
        {
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 1, message: 'digest' } },
        },
      ),
      {
        state: 'backoff',
        reason: expect.stringMatching(/^InitFailed: .*exited with code 1: digest/),
      },
    ],
    [
      'its image is from before programs were where they are',
      withContainer(
        {},
        {
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: {
            terminated: {
              exitCode: 1,
              message:
                "node:internal/modules/cjs/loader:1424\n  throw err;\n  ^\n\nError: Cannot find module '/opt/kre/programs/prepare.js'\n    at Module._resolveFilename\n  code: 'MODULE_NOT_FOUND',\n  requireStack: []\n}\n\nNode.js v24.11.0",
            },
          },
        },
      ),
      {
        state: 'backoff',
        reason: expect.stringMatching(
          /no program \/opt\/kre\/programs\/prepare\.js: it is of another version of KRE than the engine/,
        ),
      },
    ],
    [
      'its image is none of ours',
      ended({
        exitCode: 128,
        reason: 'StartError',
        message:
          'failed to create containerd task: exec: "node": executable file not found in $PATH: unknown',
      }),
      { reason: expect.stringMatching(/has no program node: .*or none of KRE's/) },
    ],
    [
      'its bundle is being fetched',
      withContainer({}, { state: { running: {} } }),
      { state: 'starting', reason: 'fetches and unpacks its bundle' },
    ],
    [
      'the cluster has evicted it',
      pod({ phase: 'Failed', reason: 'Evicted', message: 'low on resource: memory' }),
      { state: 'backoff', reason: 'Evicted by the cluster: low on resource: memory' },
    ],
  ])('%s', (_name, one, expected) => {
    expect(see(one)).toMatchObject(expected)
  })

  test('is that of the container in which the node runs, wherever others are put beside it', () => {
    const startedAt = '2026-01-01T00:00:02Z' as unknown as Date
    const mesh = { name: 'mesh', ready: true, started: true, state: { running: { startedAt } } }
    const broken = ended({ message: 'no model' })
    const [own] = broken.status?.containerStatuses ?? []
    const beside = { containerStatuses: [mesh, own] }
    Object.assign(broken.status ?? {}, beside)
    expect(see(broken)).toMatchObject({
      state: 'backoff',
      reason: 'CrashLoopBackOff: exited with code 1: no model',
      startedAt: null,
    })
  })

  test('is a container that the cluster has put into the pod, by its name', () => {
    const running = { name: 'node', ready: true, started: true, state: { running: {} } }
    const waits = { name: 'mesh', state: { waiting: { reason: 'ImagePullBackOff', message: 'm' } } }
    expect(see(pod({ containerStatuses: [waits, running] }))).toMatchObject({
      state: 'backoff',
      isOverdue: true,
      reason: expect.stringMatching(/^the container "mesh", which the cluster .*ImagePullBackOff/),
    })
    const begins = { name: 'mesh', started: false, state: { running: {} } }
    expect(see(pod({ initContainerStatuses: [begins] }))).toMatchObject({
      state: 'starting',
      reason: expect.stringMatching(/"mesh".* is not ready$/),
    })
  })

  test('is the preparation also behind a sidecar that goes on', () => {
    const mesh = { name: 'mesh', started: true, state: { running: {} } }
    const prepare = { name: 'prepare', started: true, state: { running: {} } }
    expect(see(pod({ initContainerStatuses: [mesh, prepare] }))).toMatchObject({
      reason: 'fetches and unpacks its bundle',
    })
    const done = { ...prepare, state: { terminated: { exitCode: 0 } } }
    const node = { name: 'node', started: true, state: { running: {} } }
    const after = pod({ initContainerStatuses: [mesh, done], containerStatuses: [node] })
    expect(see(after)).toMatchObject({ reason: expect.stringMatching(/^ProbeFailed: /) })
  })

  test('is one line of bounded length, whatever the pod has written', () => {
    const { reason } = see(ended({ message: `${'x\n\u001b[31m'.repeat(5_000)}end` }))
    expect(reason.length).toBeLessThan(1_100)
    expect(reason).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(reason).toMatch(/end$/)
  })
})
