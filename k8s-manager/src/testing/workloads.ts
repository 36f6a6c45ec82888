/** Workloads for the tests of targets. */
import { workloadId, type Workload } from '@kre/contracts'

const TEST_RUNTIME = 'shop'
const TEST_VERSION = 'v1'
const TEST_DIGEST = 'a'.repeat(64)

/** A node that behaves as the fake runner is told. */
export function nodeWorkload(
  node: string,
  {
    behaviour = 'well',
    revision = 1,
    ...overrides
  }: Partial<Workload> & { behaviour?: string; revision?: number; runner?: 'python' } = {},
): Workload {
  const { runner, ...rest } = overrides
  return {
    id: workloadId({ runtimeId: TEST_RUNTIME, version: TEST_VERSION }, { workflow: 'main', node }),
    runtimeId: TEST_RUNTIME,
    version: TEST_VERSION,
    replicas: 1,
    specHash: `${behaviour}-${revision}`,
    bundleDigest: TEST_DIGEST,
    memoryBytesMax: null,
    spec: {
      kind: 'node',
      runtimeId: TEST_RUNTIME,
      version: TEST_VERSION,
      versionId: 'version-1',
      bundleDigest: rest.bundleDigest ?? TEST_DIGEST,
      workflow: 'main',
      workflowName: 'main',
      node,
      nodeName: node,
      image: 'none',
      runner: runner ?? 'typescript',
      src: `src/${node}.ts`,
      subscriptions: [{ from: 'entrypoint', channel: null, durability: 'fast' }],
      outputs: [],
      isExitpoint: false,
      requestType: 'test.Request',
      responseType: 'test.Response',
      concurrency: 1,
      timeoutMs: null,
      retries: { max: 0, backoffMs: 100 },
      objectBucket: null,
      keyValueBuckets: { project: 'p', workflow: 'w', node: 'n' },
      config: { variables: { BEHAVIOUR: behaviour, REVISION: String(revision) }, files: {} },
    },
    ...rest,
  }
}

/** @param version null = the published entrypoint. */
export function entrypointWorkload(
  version: string | null = TEST_VERSION,
  { revision = 1, ...overrides }: Partial<Workload> & { revision?: number } = {},
): Workload {
  return {
    id: workloadId({ runtimeId: TEST_RUNTIME, version }),
    runtimeId: TEST_RUNTIME,
    version,
    replicas: 1,
    specHash: `entrypoint-${revision}`,
    bundleDigest: null,
    memoryBytesMax: null,
    spec: {
      kind: 'entrypoint',
      runtimeId: TEST_RUNTIME,
      version,
      versionId: version === null ? null : 'version-1',
      requestTimeoutMs: 10_000 + revision,
      payloadBytesMax: 4_000_000,
      reflection: true,
    },
    ...overrides,
  }
}
