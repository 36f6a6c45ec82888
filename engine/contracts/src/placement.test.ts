import { describe, expect, test } from '@jest/globals'
import { RESTARTS_UNTIL_ERROR } from './derive-node.ts'
import { workloadId } from './names.ts'
import { deriveVersion, type Placement } from './placement.ts'
import { emptyRelease, type Release } from './release.ts'
import type { ReplicaObservation, WorkloadObservation } from './target.ts'
import { sampleFacts } from './testing/sample-facts.ts'

const NOW = new Date(0)
const { manifest } = sampleFacts()

function release(changes: Partial<Release> = {}): Release {
  const running = [{ version: 'v1', configGeneration: 0 }]
  return { ...emptyRelease('rt', 'me', NOW), generation: 2, running, ...changes }
}
function replica(changes: Partial<ReplicaObservation> = {}): ReplicaObservation {
  return {
    replica: 0,
    state: 'ready',
    specHash: 'h',
    pid: 1,
    startedAt: NOW,
    restarts: 0,
    isOverdue: false,
    reason: '',
    ...changes,
  }
}
function workload(node: string | null, replicas: ReplicaObservation[]): WorkloadObservation {
  const v = { runtimeId: 'rt', version: 'v1' }
  return {
    ...v,
    id: node === null ? workloadId(v) : workloadId(v, { workflow: 'wf', node }),
    role: node === null ? 'entrypoint' : 'node',
    workflow: node === null ? null : 'wf',
    node,
    replicasWanted: 1,
    specHash: 'h',
    replicas,
    address: node === null ? '127.0.0.1:9000' : '',
  }
}
const READY = [workload('a', [replica()]), workload('b', [replica()]), workload(null, [replica()])]
function placement(changes: Partial<Placement> = {}): Placement {
  return {
    runtimeId: 'rt',
    generation: 2,
    workloads: READY,
    routed: null,
    failures: {},
    stages: {},
    observedAt: NOW,
    ...changes,
  }
}
function derive(input: {
  release?: Release | null
  placement?: Placement | null
  wasWanted?: boolean
}) {
  return deriveVersion({
    version: 'v1',
    manifest,
    release: release(),
    placement: placement(),
    wasWanted: true,
    ...input,
  })
}
/** READY with one replica of a workload (null = the entrypoint) in another state. */
function readyBut(node: string | null, changes: Partial<ReplicaObservation>): Placement {
  return placement({
    workloads: READY.map((w) => (w.node === node ? workload(node, [replica(changes)]) : w)),
  })
}

/** A start that the placement knows nothing of. */
function started(version: string): Release {
  const cause = { operation: 'start', version, by: 'me', comment: '', at: NOW } as const
  return release({ generation: 3, cause })
}

describe('the status of a version', () => {
  const idle = release({ running: [] })
  const broken = { state: 'backoff', restarts: RESTARTS_UNTIL_ERROR, reason: 'exit 1' } as const

  test.each<[string, Parameters<typeof derive>[0], string, string]>([
    ['never wanted', { release: null, placement: null, wasWanted: false }, 'CREATED', ''],
    [
      'wanted once, gone',
      { release: idle, placement: placement({ workloads: [] }) },
      'STOPPED',
      '',
    ],
    ['not wanted, still there', { release: idle }, 'STOPPING', ''],
    ['wanted, nothing observed yet', { placement: null }, 'STARTING', ''],
    [
      'wanted, with a stage under way',
      { placement: placement({ workloads: [], stages: { v1: 'streams' } }) },
      'STARTING',
      'streams',
    ],
    [
      'a node is starting',
      { placement: readyBut('b', { state: 'starting', reason: 'loading' }) },
      'STARTING',
      'node "b": loading',
    ],
    [
      'a node is starting and says nothing',
      { placement: readyBut('b', { state: 'starting' }) },
      'STARTING',
      'node "b" is not ready yet',
    ],
    [
      'a node is ending',
      { release: idle, placement: readyBut('b', { state: 'stopping' }) },
      'STOPPING',
      'node "b" is not gone yet',
    ],
    [
      'a node fails, for the first times',
      { placement: readyBut('b', { ...broken, restarts: RESTARTS_UNTIL_ERROR - 1 }) },
      'STARTING',
      'node "b": exit 1',
    ],
    [
      'a node is overdue',
      { placement: readyBut('b', { state: 'starting', isOverdue: true, reason: 'init hangs' }) },
      'ERROR',
      'node "b": init hangs',
    ],
    [
      'a node that was overdue is ready',
      { placement: readyBut('b', { isOverdue: true }) },
      'STARTED',
      '',
    ],
    [
      'a node serves, and what shall take the place of its replica does not start',
      {
        placement: placement({
          workloads: READY.map((w) =>
            w.node === 'b'
              ? workload('b', [replica(), replica({ ...broken, reason: 'other image' })])
              : w,
          ),
        }),
      },
      'STARTED',
      '',
    ],
    ['a node keeps failing', { placement: readyBut('b', broken) }, 'ERROR', 'node "b": exit 1'],
    [
      'the entrypoint keeps failing',
      { placement: readyBut(null, broken) },
      'ERROR',
      'entrypoint: exit 1',
    ],
    [
      'the entrypoint is missing',
      { placement: placement({ workloads: READY.slice(0, 2) }) },
      'STARTING',
      '',
    ],
    [
      'the version can not be compiled',
      { placement: placement({ failures: { v1: 'no bundle' } }) },
      'ERROR',
      'no bundle',
    ],
    [
      'it failed before it was started anew',
      { release: started('v1'), placement: placement({ failures: { v1: 'no bundle' } }) },
      'STARTING',
      'a change is being applied',
    ],
    [
      'a node failed before it was started anew',
      { release: started('v1'), placement: readyBut('b', broken) },
      'STARTING',
      'a change is being applied',
    ],
    [
      'a node fails after it was started anew',
      { release: started('v1'), placement: { ...readyBut('b', broken), generation: 3 } },
      'ERROR',
      'node "b": exit 1',
    ],
    [
      'a node keeps failing while another version is started',
      { release: started('v2'), placement: readyBut('b', broken) },
      'ERROR',
      'node "b": exit 1',
    ],
    ['everything ready', {}, 'STARTED', ''],
    [
      'everything ready, of an earlier release',
      { placement: placement({ generation: 1 }) },
      'STARTED',
      'a change is being applied',
    ],
    [
      'published, not routed yet',
      { release: release({ published: 'v1' }) },
      'STARTED',
      'publishing',
    ],
    [
      'published and routed',
      { release: release({ published: 'v1' }), placement: placement({ routed: 'v1' }) },
      'PUBLISHED',
      '',
    ],
    [
      'another one is routed',
      { release: release({ published: 'v1' }), placement: placement({ routed: 'v2' }) },
      'STARTED',
      'publishing',
    ],
  ])('%s', (_what, input, status, reason) => {
    expect(derive(input)).toMatchObject({ status, reason })
  })

  test('has its nodes in the order of the manifest, and the address of its entrypoint', () => {
    expect(derive({ placement: readyBut('a', { restarts: 2 }) })).toMatchObject({
      address: '127.0.0.1:9000',
      nodes: [
        { workflow: 'wf', node: 'a', status: 'STARTED', replicasReady: 1, restarts: 2 },
        { workflow: 'wf', node: 'b', status: 'STARTED', replicasReady: 1, restarts: 0 },
      ],
    })
  })

  test('says which nodes share a process', () => {
    const shared = { ...workload('a', [replica()]), fused: ['b'] }
    const { nodes } = derive({ placement: placement({ workloads: [shared, READY[2] ?? shared] }) })
    expect(nodes).toMatchObject([
      { node: 'a', status: 'STARTED', fused: ['b'] },
      { node: 'b', status: 'STARTED', fused: ['a'] },
    ])
    expect(derive({}).nodes.map(({ fused }) => fused)).toEqual([[], []])
  })

  test('does not see the workloads of other versions', () => {
    const others = READY.map((w) => ({ ...w, version: 'v2', id: w.id.replace('v1', 'v2') }))
    expect(derive({ placement: placement({ workloads: others }) }).status).toBe('STARTING')
    expect(derive({ release: idle, placement: placement({ workloads: others }) }).status).toBe(
      'STOPPED',
    )
  })

  test('needs all wanted replicas of a node', () => {
    const two = READY.map((w) => (w.node === 'a' ? { ...w, replicasWanted: 2 } : w))
    expect(derive({ placement: placement({ workloads: two }) }).status).toBe('STARTING')
  })
})

describe('a version with nodes that follow their load', () => {
  const limits = { min: 0, max: 4, targetInFlight: 1, targetQueueAgeMs: 1, idleMs: 1_000 }
  const follows = (min: number) => ({
    ...manifest,
    workflows: manifest.workflows.map((workflow) => ({
      ...workflow,
      nodes: workflow.nodes.map((node) =>
        node.id === 'a' ? { ...node, autoscaling: { ...limits, min } } : node,
      ),
    })),
  })
  const seen = (min: number, scale: number | undefined, replicas: ReplicaObservation[]) => {
    const a = {
      ...workload('a', replicas),
      replicasWanted: scale ?? 0,
      ...(scale === undefined ? {} : { scale }),
    }
    return deriveVersion({
      version: 'v1',
      manifest: follows(min),
      release: release(),
      wasWanted: true,
      placement: placement({ workloads: [a, ...READY.slice(1)] }),
    })
  }
  const starting = replica({ state: 'starting', reason: 'loading' })

  test('stays what it is while more replicas come up, and says so', () => {
    const { status, reason, nodes } = seen(1, 3, [replica(), starting])
    expect({ status, reason }).toEqual({ status: 'STARTED', reason: '' })
    expect(nodes[0]).toMatchObject({
      status: 'STARTED',
      reason: '1 of 3 replicas are ready: loading',
      replicasReady: 1,
      replicasWanted: 3,
    })
  })

  test('says why one of its replicas ended a short time ago, though all are ready again', () => {
    const again = replica({ reason: 'was started again after this: OOMKilled' })
    const { status, nodes } = seen(1, 2, [replica(), again])
    expect(status).toBe('STARTED')
    expect(nodes[0]).toMatchObject({
      status: 'STARTED',
      reason: 'was started again after this: OOMKilled',
    })
  })

  test('is not broken by one more that can not be had, but by the last one', () => {
    const broken = replica({ state: 'starting', isOverdue: true, reason: 'Unschedulable' })
    expect(seen(1, 2, [replica(), broken]).status).toBe('STARTED')
    expect(seen(1, 1, [broken])).toMatchObject({
      status: 'ERROR',
      reason: 'node "a": Unschedulable',
    })
    const former = replica({ specHash: 'former' })
    expect(seen(1, 1, [former, broken]).status).toBe('ERROR')
  })

  test('needs as many as its least', () => {
    expect(seen(2, 4, [replica(), starting]).status).toBe('STARTING')
    expect(seen(2, 4, [replica(), replica(), starting]).status).toBe('STARTED')
  })

  test('sleeps on purpose, and is awake when its node is there', () => {
    const asleep = seen(0, 0, [])
    expect(asleep).toMatchObject({
      status: 'STARTED',
      reason: 'scaled to zero: node "a" starts with the next request',
    })
    expect(asleep.nodes[0]).toMatchObject({ status: 'STARTED', reason: 'scaled to zero' })
    expect(seen(0, 0, [replica({ state: 'stopping' })]).nodes[0]?.isAsleep).toBe(true)
    expect(seen(0, 1, [starting])).toMatchObject({
      status: 'STARTED',
      reason: 'node "a" wakes up',
    })
    expect(seen(0, 1, [replica()])).toMatchObject({ status: 'STARTED', reason: '' })
  })

  test('does not sleep because nobody knows how many replicas it has', () => {
    expect(seen(0, undefined, [])).toMatchObject({ status: 'STARTED', reason: '' })
    expect(seen(1, 0, []).nodes[0]?.isAsleep).toBe(false)
  })
})
