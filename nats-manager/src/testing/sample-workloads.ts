/** Workloads of the versions that `sampleFacts` describes. */
import {
  nodeBucket,
  objectBucket,
  projectBucket,
  type NodeSpec,
  workflowBucket,
  type Workload,
  workloadId,
} from '@kre/contracts'
import { sampleNode } from '@kre/contracts/testing'

/** Two nodes in a row; `a` has an object store. */
export function sampleNodes() {
  return [
    sampleNode('a', 'entrypoint', { objectStore: { name: 'models', scope: 'workflow' } }),
    sampleNode('b', 'a'),
  ]
}

export function nodeWorkload(runtimeId: string, version: string, node: 'a' | 'b'): Workload {
  const ref = { runtimeId, version, workflow: 'wf' }
  const spec: NodeSpec = {
    kind: 'node',
    ...ref,
    node,
    versionId: 'id',
    bundleDigest: 'd',
    workflowName: 'wf',
    nodeName: node,
    image: 'kre/typescript',
    runner: 'typescript',
    src: `src/${node}.ts`,
    subscriptions: [{ from: node === 'a' ? 'entrypoint' : 'a', channel: null, durability: 'fast' }],
    outputs: node === 'a' ? [null] : [],
    isExitpoint: node === 'b',
    requestType: 'sample.Request',
    responseType: 'sample.Response',
    concurrency: 1,
    timeoutMs: null,
    retries: { max: 0, backoffMs: 0 },
    objectBucket: node === 'a' ? objectBucket(ref, 'workflow', 'models') : null,
    keyValueBuckets: {
      project: projectBucket(runtimeId),
      workflow: workflowBucket(ref),
      node: nodeBucket({ ...ref, node }),
    },
    config: { variables: {}, files: {} },
  }
  return workload(workloadId({ runtimeId, version }, { workflow: 'wf', node }), version, spec)
}

/** @param version null = the published address. */
export function entrypointWorkload(runtimeId: string, version: string | null): Workload {
  return workload(workloadId({ runtimeId, version }), version, {
    kind: 'entrypoint',
    runtimeId,
    version,
    versionId: version === null ? null : 'id',
    requestTimeoutMs: 30_000,
    payloadBytesMax: 1_000_000,
    reflection: false,
  })
}

function workload(id: string, version: string | null, spec: Workload['spec']): Workload {
  return {
    id,
    runtimeId: spec.runtimeId,
    version,
    replicas: 1,
    spec,
    specHash: 'h',
    bundleDigest: null,
    memoryBytesMax: null,
  }
}
