/** The target for Kubernetes on a real control plane, with the rights of its Role, under Pod Security `restricted`. */
import { describe, expect, jest, test } from '@jest/globals'
import type { WorkloadObservation } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { targetConformance } from '../../k8s-manager/src/target-conformance.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from '../../k8s-manager/src/testing/workloads.ts'
import { brokenStatus } from './support/fake-nodes.ts'
import { countOwn, startTarget } from './support/start-target.ts'
import { ask, hasCluster, make } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(120_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 60_000 }

if (!hasCluster) describe.skip('the Kubernetes target', () => test('is not tried', () => undefined))
else {
  const cluster = useCluster()
  targetConformance('Kubernetes', async () => {
    const started = await startTarget(cluster.admin)
    return {
      target: started.target,
      killReplica: async (_workload, number) => started.kill(number),
      [Symbol.asyncDispose]: async () => started[Symbol.asyncDispose](),
    }
  })
  describe('the Kubernetes target', () => kubernetesTarget(cluster))
}

function kubernetesTarget(cluster: ReturnType<typeof useCluster>): void {
  const firstReason = (observed: readonly WorkloadObservation[]) =>
    observed[0]?.replicas.find(({ reason }) => reason !== '')?.reason

  test('leaves nothing of a version behind, and objects of others alone', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const foreign = `/api/v1/namespaces/${namespace.name}/configmaps/somebody-elses`
    await make(cluster.admin, foreign, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'somebody-elses', labels: { 'app.kubernetes.io/managed-by': 'kre' } },
    })
    const workloads = [nodeWorkload('etl'), entrypointWorkload(), entrypointWorkload(null)]
    await apply(target, { apply: workloads, remove: [] })
    await ready(target, 3)
    expect(await countOwn(namespace)).toBeGreaterThan(15)
    await apply(target, { apply: [], remove: workloads.map(({ id }) => id) })
    await waitUntil('nothing is left', async () => (await countOwn(namespace)) === 0, LONG)
    expect(await namespace.names('/api/v1/namespaces/NS/configmaps')).toContain('somebody-elses')
  })

  test('takes over what another engine has left, and ends what that one had begun to', async () => {
    await using started = await startTarget(cluster.admin)
    const workloads = [nodeWorkload('etl'), nodeWorkload('model'), entrypointWorkload()]
    await apply(started.target, { apply: workloads, remove: [] })
    const before = await ready(started.target, 3)
    const [entrypoint] = before.filter(({ role }) => role === 'entrypoint')
    await apply(started.target, { apply: [], remove: [entrypoint?.id ?? ''] })
    await using next = await started.another()
    await waitUntil('the entrypoint is gone', async () => {
      const observed = await next.target.fetch(signal)
      return observed.length === 2 && observed.every(({ role }) => role === 'node')
    })
    expect(await ready(next.target, 2)).toEqual(before.filter(({ role }) => role === 'node'))
  })

  test('keeps the Secret of a spec as long as a pod may use it, and no longer', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const configs = async () =>
      (await namespace.names('/api/v1/namespaces/NS/secrets')).filter(
        (name) => !name.endsWith('-access'),
      )
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
    const before = await configs()
    await apply(target, { apply: [nodeWorkload('etl', { revision: 2 })], remove: [] })
    await waitUntil('the first one is gone', async () => {
      const now = await configs()
      return now.length === 1 && now[0] !== before[0]
    })
  })

  test('says that no machine takes a pod', async () => {
    await using started = await startTarget(cluster.admin)
    const { target } = started
    const resources = { cpuMillis: null, gpu: { count: 16, class: null } }
    await apply(target, { apply: [nodeWorkload('etl', { resources })], remove: [] })
    await waitUntil('the reason', async () =>
      /^Unschedulable: .*nvidia\.com\/gpu/.test(firstReason(await target.fetch(signal)) ?? ''),
    )
  })

  test('says that an image is not there, that a process ends, and that it needs more memory', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const back = { reason: 'CrashLoopBackOff', message: 'back-off 10s' }
    const states: Record<string, { state: object; lastState?: object }> = {
      image: { state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } },
      crash: {
        state: { waiting: back },
        lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'Error: no model' } },
      },
      memory: {
        state: { waiting: back },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
      },
    }
    cluster.nodes.behave(namespace.name, (pod) => {
      const state = states[pod.metadata?.labels?.['node-id'] ?? '']
      return state === undefined ? null : brokenStatus(pod, state)
    })
    await apply(target, {
      apply: Object.keys(states).map((node) => nodeWorkload(node)),
      remove: [],
    })
    const reasons = await waitUntil('all reasons', async () => {
      const observed = await target.fetch(signal)
      const found = observed.map(({ node, replicas }) => [node, replicas[0]?.reason ?? ''])
      return found.every(([, reason]) => reason !== '') && found.length === 3
        ? (Object.fromEntries(found) as Record<string, string>)
        : null
    })
    expect(reasons['image']).toMatch(/^ImagePullBackOff: .*not found/)
    expect(reasons['crash']).toBe('CrashLoopBackOff: exited with code 1: Error: no model')
    expect(reasons['memory']).toMatch(/^OOMKilled: /)
  })

  test('says that a quota is full', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const path = `/api/v1/namespaces/${namespace.name}/resourcequotas/pods`
    const quota = (await make(cluster.admin, path, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'pods' },
      spec: { hard: { pods: '0' } },
    })) as object
    expect(quota).toHaveProperty('spec')
    await waitUntil('the quota counts', async () => {
      const { status } = (await ask(cluster.admin, 'GET', path)) as { status?: { hard?: object } }
      return status?.hard !== undefined
    })
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await waitUntil('the reason', async () =>
      firstReason(await target.fetch(signal))?.startsWith('QuotaExceeded: quota "pods"'),
    )
  })

  test('names the rule that its Role lacks, and goes on when it has it', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    await namespace.forbid('deployments', ['create'])
    const plan = { apply: [nodeWorkload('etl')], remove: [] }
    const [stage] = await waitUntil('a refusal', async () => {
      const stages = await apply(target, plan)
      return stages[0]?.status === 'error' ? stages : null
    })
    expect(stage?.message).toContain(
      '{apiGroups: ["apps"], resources: ["deployments"], verbs: ["create"]}',
    )
    expect(firstReason(await target.fetch(signal))).toBe(stage?.message)
    await namespace.forbid('deployments', [])
    await waitUntil('it is taken', async () => (await apply(target, plan))[0]?.status !== 'error')
    await ready(target, 1)
  })

  test('does not take over a Deployment that somebody else has made', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
    const [name] = await namespace.names('/apis/apps/v1/namespaces/NS/deployments')
    await apply(target, { apply: [], remove: [nodeWorkload('etl').id] })
    await waitUntil('it is gone', async () => (await target.fetch(signal)).length === 0)
    await make(cluster.admin, `/apis/apps/v1/namespaces/${namespace.name}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas: 0,
        selector: { matchLabels: { theirs: 'yes' } },
        template: {
          metadata: { labels: { theirs: 'yes' } },
          spec: { containers: [{ name: 'c', image: 'none' }] },
        },
      },
    })
    const [stage] = await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    expect(stage).toMatchObject({ status: 'error' })
    expect(stage?.message).toContain("is somebody else's")
  })
}
