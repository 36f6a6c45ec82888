/** Objects of others that have the names of ours, on a cluster in memory. */
import { describe, expect, test } from '@jest/globals'
import { objectName } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from '../testing/apply.ts'
import { createFakeCluster } from '../testing/fake-cluster.ts'
import { kubernetesSettings } from '../testing/kubernetes-settings.ts'
import { openFakeTarget } from '../testing/open-fake-target.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'
import { groupName } from './manifests/identity.ts'
import { accessSecretName, valuesSecretName } from './manifests/secrets.ts'

const signal = new AbortController().signal
const node = nodeWorkload('etl', { replicas: 2 })
const entrypoint = entrypointWorkload()
const published = entrypointWorkload(null)
const settings = kubernetesSettings({
  publish: { mode: 'ingress', host: '{runtime}.example.com' },
})

const FOREIGN: [string, string, string][] = [
  ['ConfigMap', 'configmaps', groupName(node)],
  ['ServiceAccount', 'serviceaccounts', groupName(node)],
  ['NetworkPolicy', 'networkpolicies', groupName(node)],
  ['NetworkPolicy', 'networkpolicies', groupName(node, 'callers')],
  ['Secret', 'secrets', accessSecretName(node)],
  ['Secret', 'secrets', valuesSecretName(node) ?? ''],
  ['Deployment', 'deployments', objectName(node.id)],
  ['PodDisruptionBudget', 'poddisruptionbudgets', objectName(node.id)],
  ['Service', 'services', objectName(entrypoint.id)],
  ['Ingress', 'ingresses', objectName(published.id)],
]

describe('an object of somebody else with a name of ours', () => {
  test.each(FOREIGN)('stays as it is, and is named: %s %s %s', async (kind, plural, name) => {
    using cluster = createFakeCluster()
    const key = `${plural}/${name}`
    cluster.make(key, { kind, spec: { replicas: 0 } })
    // What controllers write into it.
    await waitUntil('it is settled', () => kind !== 'Deployment' || cluster.get(key)?.status)
    const before = structuredClone(cluster.get(key))
    await using target = openFakeTarget(cluster, { settings })
    const all = [node, entrypoint, published]
    const stages = await apply(target, { apply: all, remove: [] })
    const refused = stages.filter(({ status }) => status === 'error')
    expect(refused.length).toBeGreaterThan(0)
    for (const { message } of refused)
      expect(message).toContain(`${kind} "${name}" in namespace "runners" is somebody else's`)
    expect(cluster.get(key)).toEqual(before)
    await apply(target, { apply: [], remove: all.map(({ id }) => id) })
    await waitUntil('only theirs is left', () => cluster.names().join() === key)
    expect(cluster.get(key)).toEqual(before)
    // Once it is gone, the name is free.
    cluster.remove(key)
    await apply(target, { apply: [node], remove: [] })
    await ready(target, 2)
  })

  test('of another installation stays as it is, too', async () => {
    using cluster = createFakeCluster()
    await using ours = openFakeTarget(cluster)
    await apply(ours, { apply: [node], remove: [] })
    await ready(ours, 2)
    const before = cluster.names()
    const other = kubernetesSettings({ installation: 'other' })
    await using theirs = openFakeTarget(cluster, { settings: other })
    expect(await theirs.fetch(signal)).toEqual([])
    const [stage] = await apply(theirs, { apply: [node], remove: [] })
    expect(stage?.message).toContain('it has no label kre.dev/installation=other')
    await apply(theirs, { apply: [], remove: [node.id] })
    expect(cluster.names()).toEqual(before)
  })

  test.each(['Secret/theirs', 'Ingress/theirs', 'Ingress/', '/', 'nonsense'])(
    'is not removed because somebody wrote on a Deployment that it is our route: %s',
    async (route) => {
      using cluster = createFakeCluster()
      await using target = openFakeTarget(cluster, { settings })
      await apply(target, { apply: [published], remove: [] })
      await ready(target, 1)
      for (const key of ['secrets/theirs', 'ingresses/theirs']) cluster.make(key, { kind: 'any' })
      const key = `deployments/${objectName(published.id)}`
      const annotations = cluster.get(key)?.metadata.annotations
      cluster.edit(key, 'metadata.annotations', { ...annotations, 'kre.dev/route': route })
      await apply(target, { apply: [], remove: [published.id] })
      await waitUntil('only theirs is left', () => cluster.names().length === 2)
      expect(cluster.names()).toEqual(['ingresses/theirs', 'secrets/theirs'])
    },
  )
})
