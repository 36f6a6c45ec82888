/** An engine after an upgrade, on a cluster in memory. What a real control plane makes of it: tests/cluster/rolls.test.ts. */
import { describe, expect, test } from '@jest/globals'
import { objectName, type Target } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from '../testing/apply.ts'
import { createFakeCluster, type FakeCluster } from '../testing/fake-cluster.ts'
import { imageOf, kubernetesSettings } from '../testing/kubernetes-settings.ts'
import { openFakeTarget } from '../testing/open-fake-target.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'
import { settingsHash } from './manifests/deployment.ts'
import { ANNOTATION } from './manifests/identity.ts'
import type { KubernetesSettings } from './settings.ts'

const WORKLOADS = [nodeWorkload('etl'), nodeWorkload('model'), entrypointWorkload()]
const NAMES = WORKLOADS.map(({ id }) => objectName(id))
const NEXT = { scheduling: { nodeSelector: { pool: 'new' } } }

/** What an engine before this one has left. */
async function startFormer(cluster: FakeCluster): Promise<void> {
  await using target = openFakeTarget(cluster)
  await apply(target, { apply: WORKLOADS, remove: [] })
  await ready(target, WORKLOADS.length)
}

const applies = ({ requests }: FakeCluster) =>
  requests.filter((request) => /^PATCH .*\/deployments\/.*force=true/.test(request))
const madeBy = (cluster: FakeCluster, name: string) =>
  cluster.get(`deployments/${name}`)?.metadata.annotations ?? {}

async function untilRolled(cluster: FakeCluster, settings: KubernetesSettings): Promise<void> {
  await waitUntil('all are made by the settings of now', () =>
    NAMES.map((name) => madeBy(cluster, name)).every(
      (made) =>
        made[ANNOTATION.settings] === settingsHash(settings) &&
        made[ANNOTATION.rolling] === undefined,
    ),
  )
}

const reasons = async (target: Target) =>
  (await target.fetch(new AbortController().signal)).flatMap(({ replicas }) =>
    replicas.map(({ reason }) => reason),
  )

describe('workloads that an engine with other settings has made', () => {
  test('are rolled one after the other, nodes before their entrypoint, and keep their configuration', async () => {
    using cluster = createFakeCluster()
    await startFormer(cluster)
    const before = applies(cluster).length
    const settings = kubernetesSettings(NEXT)
    await using target = openFakeTarget(cluster, { settings })
    await untilRolled(cluster, settings)
    expect(
      applies(cluster)
        .slice(before)
        .map((request) => /deployments\/([^?]+)/.exec(request)?.[1]),
    ).toEqual(NAMES)
    for (const name of NAMES) {
      const { template } = cluster.get(`deployments/${name}`)?.spec ?? {}
      expect(template).toMatchObject({ spec: { nodeSelector: { pool: 'new' } } })
    }
    const observed = await ready(target, WORKLOADS.length)
    expect(observed.map(({ specHash }) => specHash).toSorted()).toEqual(
      WORKLOADS.map(({ specHash }) => specHash).toSorted(),
    )
    expect(await reasons(target)).toEqual(['', '', ''])
  })

  test('stay as they are with rollAtOnce 0, and say so, until they are applied again', async () => {
    using cluster = createFakeCluster()
    await startFormer(cluster)
    const settings = kubernetesSettings({ ...NEXT, rollAtOnce: 0 })
    await using target = openFakeTarget(cluster, { settings })
    await ready(target, WORKLOADS.length)
    for (const reason of await reasons(target))
      expect(reason).toMatch(
        /^runs with images and settings of an engine before this one until its version is stopped/,
      )
    await apply(target, { apply: WORKLOADS, remove: [] })
    await untilRolled(cluster, settings)
    await waitUntil('nothing is said any more', async () =>
      (await reasons(target)).every((reason) => reason === ''),
    )
  })

  test('are rolled by the next engine where one has ended on the way', async () => {
    using cluster = createFakeCluster()
    await startFormer(cluster)
    {
      await using _first = openFakeTarget(cluster, { settings: kubernetesSettings(NEXT) })
      await waitUntil(
        'it has begun',
        () => madeBy(cluster, NAMES[0] ?? '')[ANNOTATION.rolling] === 'true',
      )
    }
    const images = { ...kubernetesSettings().images, typescript: imageOf('typescript-of-now') }
    const settings = kubernetesSettings({ ...NEXT, images })
    await using _next = openFakeTarget(cluster, { settings })
    await untilRolled(cluster, settings)
  })
})

test('how many are rolled at once is no reason to roll them', () => {
  expect(settingsHash(kubernetesSettings({ rollAtOnce: 5 }))).toBe(
    settingsHash(kubernetesSettings()),
  )
  expect(settingsHash(kubernetesSettings(NEXT))).not.toBe(settingsHash(kubernetesSettings()))
})
