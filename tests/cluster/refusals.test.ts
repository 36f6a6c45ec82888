/** What a cluster refuses: by rights, quotas, policies, names of others, and namespaces that are not there. */
import { describe, expect, jest, test } from '@jest/globals'
import { toKreError, type Target } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { isOwnCluster } from './support/cluster-processes.ts'
import { forbidDeployments } from './support/forbid-deployments.ts'
import { ALL, node, NONE, reasonsOf, takes } from './support/life.ts'
import { injectSidecars } from './support/sidecar-injector.ts'
import { countOwn, startTarget } from './support/start-target.ts'
import { ask, giveRights, hasCluster, make } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(300_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 90_000 }
if (!hasCluster)
  describe.skip('what a cluster refuses', () => test('is not tried', () => undefined))
else describe('what a cluster refuses', refusalsOfTheCluster)

function refusalsOfTheCluster(): void {
  const cluster = useCluster()

  test('that a version ends: it is seen why, and it ends when it may', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    await apply(target, ALL)
    await ready(target, 4)
    await namespace.forbid('deployments', ['patch', 'delete'])
    for (const [verb, next] of [
      ['patch', ['delete']],
      ['delete', []],
    ] as const) {
      await waitUntil(
        `it is said that it may not ${verb}`,
        async () => {
          await apply(target, NONE)
          return reasonsOf(await target.fetch(signal)).some((reason) =>
            reason.includes(`resources: ["deployments"], verbs: ["${verb}"]`),
          )
        },
        LONG,
      )
      await namespace.forbid('deployments', next)
    }
    await waitUntil(
      'nothing is left',
      async () => {
        await apply(target, NONE)
        return (await countOwn(namespace)) === 0
      },
      LONG,
    )
    expect(await target.fetch(signal)).toEqual([])
  })

  test('a Secret more than a quota has room for: nothing is started, until there is room', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    const quota = `/api/v1/namespaces/${namespace.name}/resourcequotas/few`
    await make(cluster.admin, quota, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'few' },
      spec: { hard: { secrets: '0' } },
    })
    await waitUntil('the quota counts', async () => {
      const { status } = (await ask(cluster.admin, 'GET', quota)) as { status?: { hard?: object } }
      return status?.hard !== undefined
    })
    const stages = await apply(target, ALL)
    for (const { message } of stages)
      expect(message).toMatch(/^QuotaExceeded: .*exceeded quota: few, requested: secrets=1/)
    expect(await namespace.names('/apis/apps/v1/namespaces/NS/deployments')).toEqual([])
    expect(reasonsOf(await target.fetch(signal))).toContain(stages[0]?.message)
    await ask(cluster.admin, 'DELETE', quota)
    await takes(target, ALL)
    await ready(target, 4)
  })

  test('pods, as somebody puts a container into them that Pod Security forbids', async () => {
    if (!isOwnCluster) return
    await using started = await startTarget(cluster.admin)
    {
      await using _mesh = await injectSidecars(cluster.admin, started.namespace.name)
      await apply(started.target, { apply: [node], remove: [] })
      await waitUntil('the reason', async () =>
        reasonsOf(await started.target.fetch(signal)).some((reason) =>
          /violates PodSecurity "restricted:latest": .*"mesh"/.test(reason),
        ),
      )
    }
    await ready(started.target, 2)
  })

  test('Deployments, by a policy of the cluster', async () => {
    await using started = await startTarget(cluster.admin)
    {
      await using _policy = await forbidDeployments(cluster.admin, started.namespace.name)
      const stages = await apply(started.target, ALL)
      for (const { status, message } of stages)
        expect([status, message]).toEqual(['error', expect.stringContaining('not on a Friday')])
    }
    await waitUntil('the policy is gone', async () => {
      const stages = await apply(started.target, ALL)
      return stages.every(({ status }) => status !== 'error')
    })
    await ready(started.target, 4)
  })

  test('a namespace that is not there, is made, is deleted under what runs, and made again', async () => {
    const versionsIn = (own: string) => `${own}-versions`
    await using started = await startTarget(cluster.admin, {}, { versionsIn })
    const { target } = started
    const name = versionsIn(started.namespace.name)
    const path = `/api/v1/namespaces/${name}`
    const build = async () => {
      await make(cluster.admin, path, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      await giveRights(cluster.admin, { namespace: name, account: started.namespace.name })
    }
    await expect(target.fetch(signal)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        new RegExp(`Role in namespace "${name}", or make both.*where the namespace is not there`),
      ),
    })
    await build()
    for (const round of ['it is made', 'it is made again']) {
      await waitUntil(round, async () => isKnown(target), LONG)
      await takes(target, ALL)
      await ready(target, 4)
      await ask(cluster.admin, 'DELETE', path)
      await waitUntil('nothing runs', async () => (await observedIn(target)) === 0, LONG)
      await waitUntil('the namespace is gone', async () => isMissing(cluster.admin, path), LONG)
      const said = await apply(target, ALL).then(
        (stages) => stages.map(({ message }) => message),
        (error: unknown) => [toKreError(error).message],
      )
      for (const message of said) expect(message).toContain(`namespace "${name}"`)
      if (round === 'it is made') await build()
    }
  })
}

async function isKnown(target: Target): Promise<boolean> {
  return target.fetch(signal).then(
    () => true,
    () => false,
  )
}

/** Workloads, also before it is known that they can't be looked at. */
async function observedIn(target: Target): Promise<number> {
  return target.fetch(signal).then(
    ({ length }) => length,
    () => 0,
  )
}

async function isMissing(admin: Cluster, path: string): Promise<boolean> {
  return ask(admin, 'GET', path).then(
    () => false,
    (error: Error) => / 404 /.test(error.message),
  )
}
