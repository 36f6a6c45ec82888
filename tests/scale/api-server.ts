/** What an API server and its etcd have done and hold, by their own metrics. */
import { readFile } from 'node:fs/promises'
import { KreError, MINUTE_MS, SECOND_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'

/** Since the API server's start. */
export type ApiCounts = {
  /** Changes of objects that only the engine makes: applies, and patches and removals of such. */
  writes: number
  /** Questions whose object they are: patches that are not carried out. */
  dryRuns: number
  /** Lists of kinds that the engine watches, in one namespace, whoever asked: controllers list all of them. */
  lists: number
  watches: number
}

/** Kinds that nobody but the engine applies, with their plural names. */
const APPLIED = new Set([
  'configmaps',
  'deployments',
  'networkpolicies',
  'poddisruptionbudgets',
  'secrets',
  'serviceaccounts',
  'services',
])
const WATCHED = new Set(['configmaps', 'deployments', 'networkpolicies', 'pods', 'services'])
const SAMPLE = /^apiserver_request_total\{(.*)\} (\S+)$/gm
const METRICS_MS_MAX = 5 * MINUTE_MS
const LABEL = /(\w+)="([^"]*)"/g

/** Pure. @param metrics in Prometheus's text format. */
export function readApiCounts(metrics: string): ApiCounts {
  const counts: ApiCounts = { writes: 0, dryRuns: 0, lists: 0, watches: 0 }
  for (const [, labels = '', value = '0'] of metrics.matchAll(SAMPLE)) {
    const { verb, resource, subresource, scope, dry_run } = Object.fromEntries(
      [...labels.matchAll(LABEL)].map(([, name = '', text = '']) => [name, text]),
    )
    const isApplied = APPLIED.has(resource ?? '') && subresource === ''
    const isChange = verb === 'APPLY' || verb === 'PATCH' || verb === 'DELETE'
    if (isApplied && isChange && dry_run === '') counts.writes += Number(value)
    else if (isApplied && isChange) counts.dryRuns += Number(value)
    else if (WATCHED.has(resource ?? '') && verb === 'LIST' && scope === 'namespace')
      counts.lists += Number(value)
    else if (WATCHED.has(resource ?? '') && verb === 'WATCH') counts.watches += Number(value)
  }
  return counts
}

export function lessCounts(after: ApiCounts, before: ApiCounts): ApiCounts {
  return {
    writes: after.writes - before.writes,
    dryRuns: after.dryRuns - before.dryRuns,
    lists: after.lists - before.lists,
    watches: after.watches - before.watches,
  }
}

/** An API server with much else to do is asked again: what it was asked to count stays counted. */
export async function apiCounts(admin: Cluster, signal: AbortSignal): Promise<ApiCounts> {
  let why = ''
  const metrics = async () => {
    try {
      const { status, body } = await admin.request({ method: 'GET', path: '/metrics', signal })
      if (status === 200) return body
      why = `${status} ${body}`
    } catch (error) {
      if (!(error instanceof KreError && error.code === 'unavailable')) throw error
      why = error.message
    }
    return null
  }
  const waiting = { timeoutMs: METRICS_MS_MAX, everyMs: SECOND_MS, signal }
  const body = await waitUntil("the API server's metrics", metrics, waiting).catch(
    (error: unknown) => {
      throw new Error(`the API server's metrics can't be read: ${why}`, { cause: error })
    },
  )
  return readApiCounts(body)
}

/** Bytes that etcd's objects need, of a test cluster whose etcd is on the port after the API server's. */
export async function etcdBytes(kubeconfig: string): Promise<number> {
  const port = Number(/https:\/\/[^:"/]+:(\d+)/.exec(await readFile(kubeconfig, 'utf8'))?.[1])
  const metrics = await (await fetch(`http://127.0.0.1:${port + 1}/metrics`)).text()
  return Number(/^etcd_mvcc_db_total_size_in_use_in_bytes (\S+)$/m.exec(metrics)?.[1])
}
