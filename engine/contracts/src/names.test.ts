import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  CHANNEL_NAME,
  claimKey,
  claimStream,
  controlSubject,
  dataSubject,
  edgeSubject,
  failureSubject,
  ingressSubject,
  interfaceKey,
  labels,
  nodeBucket,
  nodeSubject,
  OBJECT_NAME_CHARS_MAX,
  objectBucket,
  objectName,
  OUTPUT_KINDS,
  outputsFilter,
  outputsStream,
  outputSubject,
  projectBucket,
  replySubject,
  RESOURCE_NAME,
  routingBucket,
  runtimeOfOutputs,
  versionOfClaim,
  workflowBucket,
  workflowStream,
  workloadId,
  type NodeRef,
} from './names.ts'

/** Short ids of few letters, so that parts that run into each other would meet; and ids of full length. */
const id = fc.oneof(
  fc.stringMatching(/^[ab](?:[ab-]{0,3}[ab])?$/),
  fc.stringMatching(/^[a-z0-9][a-z0-9-]{17}[a-z0-9]$/),
)
const channel = fc.stringMatching(CHANNEL_NAME)
const ref: fc.Arbitrary<NodeRef> = fc.record({ runtimeId: id, version: id, workflow: id, node: id })

/** Every name that a node's identity leads to; each entry is one namespace of the outside system. */
function namesOf(ref: NodeRef, channelName: string, other: string) {
  return {
    subjects: [
      ['ingress', ref.runtimeId, ref.version, ref.workflow, ingressSubject(ref)],
      ['node', ...identity(ref), nodeSubject(ref)],
      ['channel', ...identity(ref), channelName, nodeSubject(ref, channelName)],
      ['failure', ...identity(ref), failureSubject(ref)],
      ['edge', ...identity(ref), other, edgeSubject(ref, ref.node, other)],
      ...OUTPUT_KINDS.map((kind) => [
        'output',
        ref.runtimeId,
        ref.version,
        ref.workflow,
        kind,
        outputSubject(ref, ref.workflow, kind),
      ]),
      ['own output', ref.runtimeId, ref.version, outputSubject(ref, null, 'log')],
      ['ping', ref.runtimeId, ref.version, controlSubject(ref, 'ping')],
      ['reply', ref.runtimeId, other, replySubject(ref.runtimeId, 'e1', other)],
      ['data', ref.runtimeId, dataSubject(ref.runtimeId, 'find')],
    ],
    streams: [
      ['workflow', ref.runtimeId, ref.version, ref.workflow, workflowStream(ref)],
      ['outputs', ref.runtimeId, ref.version, outputsStream(ref)],
      ['claims', ref.runtimeId, ref.version, claimStream(ref)],
    ],
    buckets: [
      ['routing', ref.runtimeId, routingBucket(ref.runtimeId)],
      ['project', ref.runtimeId, projectBucket(ref.runtimeId)],
      ['workflow', ref.runtimeId, ref.version, ref.workflow, workflowBucket(ref)],
      ['node', ...identity(ref), nodeBucket(ref)],
      ['objects of the runtime', ref.runtimeId, other, objectBucket(ref, 'project', other)],
      [
        'objects',
        ref.runtimeId,
        ref.version,
        ref.workflow,
        other,
        objectBucket(ref, 'workflow', other),
      ],
    ],
    workloads: [
      ['published', ref.runtimeId, workloadId({ runtimeId: ref.runtimeId, version: null })],
      ['entrypoint', ref.runtimeId, ref.version, workloadId(ref)],
      ['node', ...identity(ref), workloadId(ref, ref)],
    ],
  }
}
function identity({ runtimeId, version, workflow, node }: NodeRef): string[] {
  return [runtimeId, version, workflow, node]
}

describe('built names', () => {
  test('are equal only for equal identities', () => {
    const owners = new Map<string, string>()
    fc.assert(
      fc.property(ref, channel, id, (node, channelName, other) => {
        for (const [space, entries] of Object.entries(namesOf(node, channelName, other)))
          for (const entry of entries) {
            const key = `${space} ${entry.at(-1)}`
            const owner = JSON.stringify(entry.slice(0, -1))
            expect(owners.get(key) ?? owner).toBe(owner)
            owners.set(key, owner)
          }
      }),
      { numRuns: 150 },
    )
    expect(owners.size).toBeGreaterThan(1_000)
  })

  test('are legal tokens of at most 255 bytes', () => {
    fc.assert(
      fc.property(ref, channel, id, (node, channelName, other) => {
        const { subjects, streams, buckets } = namesOf(node, channelName, other)
        for (const entry of subjects) {
          expect(entry.at(-1)).toMatch(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){1,8}$/)
          expect(entry.at(-1)?.length).toBeLessThanOrEqual(255)
        }
        for (const entry of [...streams, ...buckets])
          expect(entry.at(-1)).toMatch(/^[A-Za-z0-9_-]{1,200}$/)
      }),
    )
  })

  test('of a runtime are covered by its filter, those of another are not', () => {
    const v = { runtimeId: 'rt', version: 'v1' }
    expect(outputsFilter('rt')).toBe('x.rt.*.*.o.*')
    expect(outputSubject(v, 'wf', 'log').split('.')).toHaveLength(6)
    expect(outputSubject(v, null, 'log').split('.')).toHaveLength(6)
  })

  test('of outputs streams and of claims say whose they are', () => {
    fc.assert(
      fc.property(ref, (node) => {
        expect(runtimeOfOutputs(outputsStream(node))).toBe(node.runtimeId)
        expect(versionOfClaim(node.runtimeId, claimKey(node, '_R.rt.e1.t1'))).toBe(node.version)
      }),
    )
    expect(runtimeOfOutputs('OUT_rt')).toBe('rt')
    for (const stream of ['KV_OUT_rt_v1', 'OUT_', 'OUT_rt_v1_x', 'CLAIMS_rt_v1'])
      expect(runtimeOfOutputs(stream)).toBeNull()
    for (const key of ['', 'c.rt.e1.t1', 'c.other.e1.t1.v1.x', 'x.rt.e1.t1.v1', 'c.rt.e1.t1.V_1.x'])
      expect(versionOfClaim('rt', key)).toBeNull()
  })

  test('follow the grammar of the reference', () => {
    const node = { runtimeId: 'rt', version: 'v1', workflow: 'wf', node: 'etl' }
    expect([
      ingressSubject(node),
      nodeSubject(node),
      nodeSubject(node, 'Low_1'),
      nodeSubject(node, ''),
      edgeSubject(node, 'a', 'b'),
      workflowStream(node),
      interfaceKey('v1'),
    ]).toEqual([
      'x.rt.v1.wf.i',
      'x.rt.v1.wf.n.etl',
      'x.rt.v1.wf.n.etl.Low_1',
      'x.rt.v1.wf.n.etl',
      'x.rt.v1.wf.e.a.b',
      'X_rt_v1_wf',
      'interface.v1',
    ])
  })

  test.each(['', 'a.b', 'a b', 'A', '-a', 'a-', 'a_b', '*', '>', 'ä'])(
    'refuse %j as an id',
    (bad) => {
      expect(() =>
        nodeSubject({ runtimeId: 'rt', version: 'v1', workflow: 'wf', node: bad }),
      ).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
      expect(() => workflowStream({ runtimeId: bad, version: 'v1', workflow: 'wf' })).toThrow(
        'is not legal',
      )
    },
  )

  test.each(['a.b', '*', '>', ' ', 'c'.repeat(33)])('refuse %j as a channel', (bad) => {
    const node = { runtimeId: 'rt', version: 'v1', workflow: 'wf', node: 'a' }
    expect(() => nodeSubject(node, bad)).toThrow('is not legal')
  })
})

describe('objectName', () => {
  test('is a label of at most 63 characters, and differs where workload ids do', () => {
    const owners = new Map<string, string>()
    fc.assert(
      fc.property(ref, (node) => {
        for (const workload of [workloadId(node, node), workloadId(node)]) {
          const name = objectName(workload)
          expect(name).toMatch(RESOURCE_NAME)
          expect(name.length).toBeLessThanOrEqual(OBJECT_NAME_CHARS_MAX)
          expect(owners.get(name) ?? workload).toBe(workload)
          owners.set(name, workload)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('tells apart ids whose parts read the same with hyphens', () => {
    expect(objectName('a-b.c.d.e')).not.toBe(objectName('a.b-c.d.e'))
  })
})

describe('labels', () => {
  test('name the runtime, and what is known of version, workflow and node', () => {
    expect(labels({ runtimeId: 'rt', version: null })).not.toHaveProperty(['kre.dev/version'])
    expect(labels({ runtimeId: 'rt', version: 'v1' }, { workflow: 'wf', node: 'a' })).toMatchObject(
      {
        'kre.dev/runtime': 'rt',
        'kre.dev/version': 'v1',
        'kre.dev/workflow': 'wf',
        'kre.dev/node': 'a',
      },
    )
  })
})
