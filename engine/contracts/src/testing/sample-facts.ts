/** Facts of a small bundle, for tests of everything behind the validator. */
import type { BundleFacts } from '../bundle.ts'
import type { GraphNode } from '../manifest/graph.ts'

export function sampleNode(id: string, from: string, changes: Partial<GraphNode> = {}): GraphNode {
  return {
    id,
    name: id,
    image: 'konstellation/kre-ts:1',
    src: `src/${id}.ts`,
    gpu: null,
    replicas: 1,
    subscriptions: [{ from, channel: null, durability: 'fast' }],
    objectStore: null,
    concurrency: 1,
    timeoutMs: null,
    retries: { max: 0, backoffMs: 0 },
    onError: 'fail',
    resources: { cpuMillis: null, memoryBytes: null },
    channels: null,
    ...changes,
  }
}

/** One workflow `wf` with the given nodes (default: `a` then `b`); its last node is the exitpoint. */
export function sampleFacts(
  nodes: GraphNode[] = [sampleNode('a', 'entrypoint'), sampleNode('b', 'a')],
  version = 'v1',
): BundleFacts {
  return {
    manifest: {
      krtVersion: 'v2',
      version,
      versionName: version,
      description: 'a sample',
      entrypoint: { proto: 'public_input.proto', image: 'konstellation/kre-entrypoint:1' },
      config: { variables: [], files: [], defaults: {} },
      workflows: [
        {
          id: 'wf',
          name: 'wf',
          entrypoint: 'Call',
          exitpoint: nodes.at(-1)?.id ?? '',
          timeoutMs: null,
          nodes,
        },
      ],
    },
    methods: [
      {
        path: '/sample.Entrypoint/Call',
        rpc: 'Call',
        requestType: 'sample.Request',
        responseType: 'sample.Response',
        workflow: 'wf',
      },
    ],
    descriptorSet: '',
    hasDoc: false,
    dashboards: [],
    files: nodes.map((node) => node.src),
  }
}
