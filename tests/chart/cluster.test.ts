/**
 * The chart on a real control plane with fake machines, in a namespace that enforces the `restricted` profile of Pod
 * Security: everything but the processes in the pods is real.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { type FakeNodes, type Pod, startFakeNodes } from '../cluster/support/fake-nodes.ts'
import { ask, hasCluster, make, openAsAdmin } from '../cluster/support/test-cluster.ts'
import { CHART, VARIANTS, valuesFile } from './support/chart-files.ts'
import { hasHelm, type Manifest, parseManifests, render, runHelm } from './support/helm.ts'
import { makeHome, pathOf } from './support/make-home.ts'
import { podsOf } from './support/pods-of.ts'

jest.setTimeout(120_000)

if (!hasCluster || !hasHelm)
  describe.skip('the chart', () => test('is not installed', () => undefined))
else describe('the chart on a cluster', onCluster)

function onCluster(): void {
  let admin: Cluster
  let nodes: FakeNodes
  const namespace = `kre-chart-${randomBytes(4).toString('hex')}`
  let home: AsyncDisposable
  beforeAll(async () => {
    admin = openAsAdmin()
    nodes = await startFakeNodes(admin, { count: 3 })
    home = await makeHome(admin, namespace)
    nodes.behave(namespace, (pod) => (isHelmTest(pod) ? endedStatus(pod) : null))
  })
  afterAll(async () => {
    await home?.[Symbol.asyncDispose]()
    await nodes?.[Symbol.asyncDispose]()
    admin?.[Symbol.dispose]()
  })

  const helm = async (...args: string[]) =>
    runHelm([...args, '--namespace', namespace], process.env['KRE_TEST_CLUSTER'])
  const ON_VOLUMES = [
    '--set',
    `engine.storage.class=${namespace},nats.storage.class=${namespace}`,
    '--wait',
    '--timeout',
    '90s',
  ]
  const upgrade = async (...more: string[]) =>
    helm(
      'upgrade',
      '--install',
      'kre',
      CHART,
      '--values',
      valuesFile('minimal'),
      ...ON_VOLUMES,
      ...more,
    )
  const read = async (kind: string, name: string) =>
    (await ask(admin, 'GET', pathOf(kind, namespace, name))) as Manifest & {
      status?: Record<string, unknown>
    }

  test.each(VARIANTS)('is admitted with %s values, pods too', async (variant) => {
    const where = ['--set', `versions.namespace=${namespace}`]
    const objects = await render(variant, namespace, where)
    const pods = podsOf(objects).map(({ name, labels, spec }) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${name}-dry`, namespace, labels },
      // Volumes of a StatefulSet, accounts and priorities are made by others.
      spec: {
        ...spec,
        serviceAccountName: 'default',
        priorityClassName: undefined,
        volumes: volumesOf(spec),
      },
    }))
    for (const object of [...objects.filter(isBuiltIn), ...pods]) {
      const path = pathOf(object.kind, namespace, object.metadata.name)
      const query = 'fieldManager=test&force=true&dryRun=All&fieldValidation=Strict'
      await ask(admin, 'PATCH', `${path}?${query}`, object)
    }
  })

  test('is installed, upgraded, rolled back, tested and removed, and keeps its keys all the while', async () => {
    await upgrade()
    for (const [name, replicas] of [
      ['kre-engine', 2],
      ['kre-nats', 3],
    ] as const)
      expect((await read('StatefulSet', name)).status).toMatchObject({ readyReplicas: replicas })
    const keys = await Promise.all(
      ['kre-keys', 'kre-nats-keys'].map((name) => read('Secret', name)),
    )
    const areKept = async () => {
      for (const { metadata, data } of keys)
        expect((await read('Secret', metadata.name)).data).toEqual(data)
    }

    await upgrade('--set', 'engine.logLevel=debug')
    expect(JSON.stringify((await read('StatefulSet', 'kre-engine')).spec)).toContain('"debug"')
    await areKept()

    await helm('rollback', 'kre', '1', '--wait', '--timeout', '90s')
    expect(JSON.stringify((await read('StatefulSet', 'kre-engine')).spec)).not.toContain('"debug"')
    await areKept()

    expect(await helm('test', 'kre')).toMatch(/Phase:\s+Succeeded/)
    await helm('uninstall', 'kre', '--wait')
    expect(await exists('StatefulSet', 'kre-engine')).toBe(false)
    await areKept()
    await upgrade()
    await areKept()
  })

  test('is rendered without the cluster in vain: other keys are refused', async () => {
    const secret = (await render('minimal', namespace)).find(({ kind }) => kind === 'Secret')
    await expect(
      ask(
        admin,
        'PATCH',
        `${pathOf('Secret', namespace, 'kre-keys')}?fieldManager=other&force=true`,
        secret,
      ),
    ).rejects.toThrow('field is immutable when `immutable` is set')
  })

  test('fits into a quota of the namespace', async () => {
    const path = pathOf('ResourceQuota', namespace, 'small')
    await make(admin, path, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'small' },
      spec: {
        hard: { 'requests.cpu': '2', 'requests.memory': '4Gi', 'limits.memory': '12Gi', pods: '6' },
      },
    })
    await waitUntil('the quota counts', async () => {
      const { status } = await read('ResourceQuota', 'small')
      return status?.['used'] !== undefined
    })
    await upgrade('--set', 'engine.podAnnotations.again=yes')
    await ask(admin, 'DELETE', path)
  })

  test('gives the account of the engine its rights in the namespace of versions, and none elsewhere', async () => {
    const may = async (verb: string, resource: string, where: string, group = '') => {
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: `system:serviceaccount:${namespace}:kre-engine`,
          resourceAttributes: { namespace: where, verb, group, resource },
        },
      }
      const at = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
      const { status } = (await ask(admin, 'POST', at, review, 'application/json')) as {
        status: { allowed: boolean }
      }
      return status.allowed
    }
    expect(await may('patch', 'deployments', namespace, 'apps')).toBe(true)
    expect(await may('create', 'secrets', namespace)).toBe(true)
    for (const verb of ['get', 'list', 'watch'])
      expect(await may(verb, 'secrets', namespace)).toBe(false)
    expect(await may('create', 'pods', namespace)).toBe(false)
    expect(await may('patch', 'statefulsets', namespace, 'apps')).toBe(false)
    expect(await may('list', 'pods', 'default')).toBe(false)
  })

  async function exists(kind: string, name: string): Promise<boolean> {
    return read(kind, name).then(
      () => true,
      (error: Error) => {
        if (error.message.includes(' 404 ')) return false
        throw error
      },
    )
  }

  test('notes say how to sign in', async () => {
    const notes = await helm('get', 'notes', 'kre')
    expect(notes).toContain(`secret kre-keys -o go-template='{{.data.token | base64decode}}'`)
    expect(parseManifests(await helm('get', 'manifest', 'kre')).length).toBeGreaterThan(10)
  })
}

/** Of an operator whose definitions the cluster of the tests does not have. */
function isBuiltIn({ apiVersion }: Manifest): boolean {
  return !/^(?:cert-manager\.io|monitoring\.coreos\.com|gateway\.networking\.k8s\.io)\//.test(
    apiVersion,
  )
}

function volumesOf(spec: Record<string, unknown>): object[] {
  const claimed = ['data', 'store'].map((name) => ({ name, emptyDir: {} }))
  const own = (spec['volumes'] ?? []) as { name: string }[]
  const mounted = JSON.stringify(spec)
  return [...own, ...claimed.filter(({ name }) => mounted.includes(`"name":"${name}"`))]
}

function isHelmTest({ metadata }: Pod): boolean {
  return metadata?.annotations?.['helm.sh/hook'] === 'test'
}

/** What a kubelet says of a pod whose container has ended well. */
function endedStatus(pod: Pod): object {
  return {
    phase: 'Succeeded',
    conditions: [{ type: 'Ready', status: 'False', reason: 'PodCompleted' }],
    containerStatuses: (pod.spec?.containers ?? []).map(({ name, image }) => ({
      name,
      image,
      imageID: '',
      ready: false,
      started: false,
      restartCount: 0,
      state: { terminated: { exitCode: 0, reason: 'Completed' } },
    })),
  }
}
