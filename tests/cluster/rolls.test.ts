/** What becomes of versions that run when the engine is upgraded: other images, other settings. */
import { describe, expect, jest, test } from '@jest/globals'
import type { Target, WorkloadObservation } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { ANNOTATION } from '../../k8s-manager/src/kubernetes/manifests/identity.ts'
import { apply, ready } from '../../k8s-manager/src/testing/apply.ts'
import { imageOf, kubernetesSettings } from '../../k8s-manager/src/testing/kubernetes-settings.ts'
import { brokenStatus, type Pod } from './support/fake-nodes.ts'
import { ALL, entrypoint, node } from './support/life.ts'
import { startTarget } from './support/start-target.ts'
import { ask, hasCluster, type TestNamespace } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

jest.setTimeout(300_000)

const signal = new AbortController().signal
const LONG = { timeoutMs: 90_000 }
if (!hasCluster) describe.skip('an upgrade', () => test('is not tried', () => undefined))
else describe('an upgrade', upgrades)

/** Settings whose runner for TypeScript, the one of the node, is another image. */
function withRunner(name: string) {
  return {
    images: { ...kubernetesSettings().images, typescript: imageOf(name) },
    startTimeoutMs: 3_000,
  }
}

function upgrades(): void {
  const cluster = useCluster()
  const inNamespace = async ({ name }: TestNamespace, api: string) =>
    ((await ask(cluster.admin, 'GET', api.replace('NS', name))) as { items: Pod[] }).items
  const imagesOf = async (namespace: TestNamespace) => {
    const pods = await inNamespace(namespace, '/api/v1/namespaces/NS/pods')
    return pods
      .filter(({ metadata }) => metadata?.labels?.['type'] === 'node')
      .map(({ spec }) => spec?.containers[0]?.image)
  }
  const isRolling = async (namespace: TestNamespace) =>
    (await inNamespace(namespace, '/apis/apps/v1/namespaces/NS/deployments')).some(
      ({ metadata }) => metadata?.annotations?.[ANNOTATION.rolling] !== undefined,
    )

  test('stops at the first pod that does not come up; those of before serve on, until the next one', async () => {
    await using started = await startTarget(cluster.admin)
    const { target, namespace } = started
    await apply(target, ALL)
    await ready(target, 4)
    cluster.nodes.behave(namespace.name, (pod) =>
      pod.spec?.containers[0]?.image === imageOf('bad') ? programIsMissing(pod) : null,
    )
    {
      await using bad = await started.another(withRunner('bad'))
      const [etl, own] = await waitUntil(
        'it is overdue',
        async () => {
          const seen = await observed(bad.target)
          expect(readyOf(seen[0])).toHaveLength(2)
          return seen[0]?.replicas.some(({ isOverdue }) => isOverdue) === true ? seen : null
        },
        LONG,
      )
      // One pod more than there were, and the entrypoint is as it was.
      expect(etl?.replicas).toHaveLength(3)
      expect(etl?.replicas.map(({ reason }) => reason)).toContainEqual(
        expect.stringMatching(/programs\/prepare\.js: it is of another version of KRE/),
      )
      expect(readyOf(own)[0]?.reason).toMatch(/^runs with images and settings of an engine before/)
    }
    await using good = await started.another(withRunner('good'))
    await waitUntil(
      'all are rolled',
      async () => {
        expect(readyOf((await observed(good.target))[0]).length).toBeGreaterThanOrEqual(2)
        const images = await imagesOf(namespace)
        return images.length === 2 && images.every((image) => image === imageOf('good'))
          ? !(await isRolling(namespace))
          : false
      },
      LONG,
    )
    const all = await waitUntil('nothing is left to say', async () => {
      const seen = await good.target.fetch(signal)
      const reasons = seen.flatMap(({ replicas }) => replicas.map(({ reason }) => reason))
      return reasons.length === 4 && reasons.every((reason) => reason === '') ? seen : null
    })
    expect(all).toHaveLength(3)
  })

  test('taken back brings what has not come up back to what it was, and touches nothing else', async () => {
    await using started = await startTarget(cluster.admin, withRunner('old'))
    const { target, namespace } = started
    await apply(target, ALL)
    await ready(target, 4)
    const before = await target.fetch(signal)
    cluster.nodes.behave(namespace.name, (pod) =>
      pod.spec?.containers[0]?.image === imageOf('bad') ? programIsMissing(pod) : null,
    )
    {
      await using bad = await started.another(withRunner('bad'))
      await waitUntil(
        'it has begun',
        async () => ((await observed(bad.target))[0]?.replicas.length ?? 0) > 2,
        LONG,
      )
    }
    await using back = await started.another(withRunner('old'))
    await waitUntil(
      'it is as it was',
      async () => {
        const seen = await back.target.fetch(signal)
        return idsOf(seen).join() === idsOf(before).join() && !(await isRolling(namespace))
      },
      LONG,
    )
    expect(new Set(await imagesOf(namespace))).toEqual(new Set([imageOf('old')]))
  })
}

/** The node and the entrypoint of the version. */
async function observed(target: Target): Promise<WorkloadObservation[]> {
  const seen = await target.fetch(signal)
  return [node, entrypoint].flatMap(({ id }) => seen.find((one) => one.id === id) ?? [])
}

function readyOf(workload: WorkloadObservation | undefined) {
  return (workload?.replicas ?? []).filter(({ state }) => state === 'ready')
}

/** The same pods have the same numbers. */
function idsOf(workloads: readonly WorkloadObservation[]): string[] {
  return workloads
    .flatMap(({ id, replicas }) => replicas.map(({ replica }) => `${id} ${replica}`))
    .toSorted()
}

/** What a kubelet says of an image from before programs were where they are. */
function programIsMissing(pod: Pod): object {
  const ended = { exitCode: 1, message: "Error: Cannot find module '/opt/kre/programs/prepare.js'" }
  const status = brokenStatus(pod, { state: { waiting: { reason: 'PodInitializing' } } })
  return {
    ...status,
    phase: 'Pending',
    initContainerStatuses: [
      {
        name: 'prepare',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 1,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: ended },
      },
    ],
  }
}
