/** Pods of a namespace, their processes on this computer, and what is done to them. */
import { readdir, readFile } from 'node:fs/promises'
import type { Cluster } from '../../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import type { podState } from '../../../k8s-manager/src/kubernetes/observe/pod-state.ts'
import { ask } from '../../cluster/support/test-cluster.ts'

export type Pod = Parameters<typeof podState>[0]

/** @param selector labels, as `app=x,tier=y`. */
export async function podsOf(admin: Cluster, namespace: string, selector = ''): Promise<Pod[]> {
  const query = selector === '' ? '' : `?labelSelector=${encodeURIComponent(selector)}`
  const path = `/api/v1/namespaces/${namespace}/pods${query}`
  return ((await ask(admin, 'GET', path)) as { items: Pod[] }).items
}

export function nameOf(pod: Pod): string {
  return pod.metadata?.name ?? ''
}

export function isReady({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return metadata?.deletionTimestamp === undefined && ready?.status === 'True'
}

export async function removePod(admin: Cluster, pod: Pod): Promise<void> {
  await ask(admin, 'DELETE', `/api/v1/namespaces/${pod.metadata?.namespace}/pods/${nameOf(pod)}`)
}

/** As `kubectl drain` asks for it. @returns false when a budget for disruptions is against it now. */
export async function evict(admin: Cluster, pod: Pod): Promise<boolean> {
  const { name = '', namespace = '' } = pod.metadata ?? {}
  const answer = await admin.request({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/pods/${name}/eviction`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
    contentType: 'application/json',
    signal: new AbortController().signal,
  })
  if (answer.status === 429) return false
  if (answer.status >= 300) throw new Error(`eviction of ${name}: ${answer.status} ${answer.body}`)
  return true
}

/** Processes of a pod but for the one that holds its namespaces, by their ids on this computer. */
export async function processesOf(pod: Pod): Promise<number[]> {
  const uid = pod.metadata?.uid ?? ''
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
      if (!(await read('cgroup')).includes(`pod${uid}`)) return []
      return (await read('comm')).trim() === 'pause' ? [] : [pid]
    }),
  )
  return found.flat()
}

/** Its data, each value in base64. */
export async function readSecret(
  admin: Cluster,
  namespace: string,
  name: string,
): Promise<Record<string, string>> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`
  return ((await ask(admin, 'GET', path)) as { data: Record<string, string> }).data
}
