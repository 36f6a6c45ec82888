/** What a scripted API tells the admin UI: one runtime, one version of 60 nodes, its traffic and its log. */
const NODES = 60
/** Nodes of the first layer, each the begin of a row. */
const ROWS = 6
export const RUNTIME_ID = 'demo'
export const VERSION_NAME = 'wide-v1'
const WORKFLOW_ID = 'wide'
const START = '2026-01-01T00:00:00.000Z'

const author = { id: 'dev@local.local', email: 'dev@local.local', accessLevel: 'ADMIN', grants: [] }
const sources = Array.from({ length: NODES }, (_, index) =>
  index < ROWS ? 'entrypoint' : `${WORKFLOW_ID}.n${index - ROWS}`,
)
const nodeIds = sources.map((_, index) => `${WORKFLOW_ID}.n${index}`)

export const me = { ...author, globalAccessLevel: 'ADMIN', logins: [], apiTokens: [] }

export const version = {
  id: 'v1',
  krtVersion: 'v2',
  name: VERSION_NAME,
  runtimeId: RUNTIME_ID,
  description: 'Sixty nodes in six rows',
  status: 'PUBLISHED',
  statusReason: '',
  creationDate: START,
  creationAuthor: author,
  publicationDate: START,
  publicationAuthor: author,
  workflows: [
    {
      id: WORKFLOW_ID,
      name: WORKFLOW_ID,
      entrypoint: 'Ask',
      exitpoint: `n${NODES - 1}`,
      nodes: nodeIds.map((id, index) => ({
        id,
        name: `n${index}`,
        status: 'STARTED',
        statusReason: '',
        subscriptions: [],
        inputs: [
          {
            fromNodeId: sources[index],
            channel: null,
            durability: 'fast',
            isFused: index % 7 === 0,
          },
        ],
        replicas: 1,
        replicasReady: 1,
        restarts: 0,
      })),
    },
  ],
  config: { vars: [], completed: true, generation: 1 },
  hasDoc: false,
  errors: [],
  issues: [],
  digest: '0'.repeat(64),
  manifest: '',
  entrypointAddress: '127.0.0.1:9000',
  samplingUntil: null,
}

export const runtime = {
  id: RUNTIME_ID,
  name: 'Demo',
  description: 'Where measurements are made',
  creationDate: START,
  creationAuthor: author,
  entrypointAddress: '127.0.0.1:9001',
  publishedVersion: version,
  previousVersion: null,
}

/** All numbers differ from those of any other `round`: nothing is left as it was. */
export function trafficOf(round: number) {
  const latency = (seed: number) => {
    const p50 = 1 + ((round * 37 + seed * 13) % 997) / 10
    const rest = { count: 500, mean: p50, p90: p50 * 1.5, p95: p50 * 1.7 }
    return { p50, p99: p50 * 2 + round / 1000, ...rest }
  }
  const total = (seed: number) => ({
    calls: 500 + ((round + seed) % 50),
    errors: (round + seed) % 17 === 0 ? 1 : 0,
    rate: 100 + ((round * 7 + seed) % 613) / 10,
    queued: (round + seed) % 5,
    duration: latency(seed),
    overhead: latency(seed + 1),
    transport: latency(seed + 2),
    queue: latency(seed + 3),
    handler: latency(seed + 4),
  })
  const points: never[] = []
  return {
    startDate: START,
    endDate: new Date(Date.parse(START) + round * 100).toISOString(),
    step: 5,
    workflows: [{ workflowId: WORKFLOW_ID, total: total(0), points }],
    nodes: nodeIds.map((nodeId, index) => ({ nodeId, total: total(index), points })),
    edges: nodeIds.map((toNodeId, index) => ({
      workflowId: WORKFLOW_ID,
      fromNodeId: sources[index],
      toNodeId,
      total: total(index + 7),
      points,
    })),
  }
}

/** Lines of the log, by their number: the newest has the highest. */
export function logLine(number: number) {
  const levels = ['DEBUG', 'INFO', 'INFO', 'WARN', 'ERROR'] as const
  return {
    id: `line-${number}`,
    date: new Date(Date.parse(START) + number * 10).toISOString(),
    nodeId: nodeIds[number % NODES],
    nodeName: `n${number % NODES}`,
    workflowId: WORKFLOW_ID,
    workflowName: WORKFLOW_ID,
    versionName: VERSION_NAME,
    message: messageOf(number),
    level: levels[number % levels.length],
    requestId: number % 3 === 0 ? `request-${number}` : null,
    leftOut: 0,
  }
}

/** Every tenth has more than one line. */
function messageOf(number: number): string {
  const first = `line ${number}: a message of the length that messages have, with the numbers ${number * 31} and ${number * 7}`
  return number % 10 === 0 ? `${first}\n    at handler (src/n.ts:${number})\n    at run` : first
}
