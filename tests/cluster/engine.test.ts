/**
 * The engine with `KRE_TARGET=kubernetes`: a real control plane, a nats-server in operator mode that is not its own, and
 * pods that the test runs as processes, from nothing but what the engine has put into cluster and NATS.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { connectForeign } from '../support/grpc-client.ts'
import { createKre, type Kre } from '../support/kre.ts'
import { type EnginePlace, makeEnginePlace } from './support/engine-place.ts'
import { type FakeNodes, type Pod, startFakeNodes } from './support/fake-nodes.ts'
import { runPod, type RunningPod } from './support/run-pod.ts'
import { ask, hasCluster, openAsAdmin } from './support/test-cluster.ts'

jest.setTimeout(180_000)

const LONG = { timeoutMs: 90_000 }
/** Above those that systems give away by themselves. */
const PORT = 61_000 + (process.pid % 1_000)

if (!hasCluster)
  describe.skip('the engine on Kubernetes', () => test('is not tried', () => undefined))
else describe('the engine on Kubernetes', engineOnKubernetes)

function engineOnKubernetes(): void {
  let admin: Cluster
  let nodes: FakeNodes
  let place: EnginePlace
  let kre: Kre
  const running: RunningPod[] = []

  beforeAll(async () => {
    admin = openAsAdmin()
    nodes = await startFakeNodes(admin)
    place = await makeEnginePlace(admin)
    kre = await createKre(place.environment)
  })
  afterAll(async () => {
    await Promise.all(running.map(async (pod) => pod[Symbol.asyncDispose]()))
    await kre?.[Symbol.asyncDispose]()
    await place?.[Symbol.asyncDispose]()
    await nodes?.[Symbol.asyncDispose]()
    admin?.[Symbol.dispose]()
  })

  const statusOf = async () =>
    (await kre.json<{ status: string }>('version', 'show', '-r', 'mine', 'hello-v1')).status
  const podsOf = async (): Promise<Pod[]> => {
    const path = `/api/v1/namespaces/${place.namespace.name}/pods`
    return ((await ask(admin, 'GET', path)) as { items: Pod[] }).items
  }

  test('says what is wrong with its settings before it does anything', async () => {
    await using other = await createKre({
      ...place.environment,
      KRE_KUBERNETES_FILE: '/nowhere.yaml',
    })
    expect(await other.run('dev', '--detach', '--no-example')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("the settings of Kubernetes can't be read: ENOENT"),
    })
  })

  test('brings a version into the cluster, and publishes it', async () => {
    await kre.json('dev', '--detach', '--no-example')
    const bundle = join(place.home, 'hello')
    await kre.json('krt', 'init', bundle)
    await kre.json('runtime', 'create', 'mine')
    await kre.json('version', 'create', '-r', 'mine', bundle)
    await kre.json('version', 'start', '-r', 'mine', 'hello-v1')
    await kre.json('version', 'publish', '-r', 'mine', 'hello-v1')
    expect(await statusOf()).toBe('PUBLISHED')
    const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
      'runtime',
      'show',
      'mine',
    )
    expect(entrypointAddress).toMatch(/^mine-entrypoint-[0-9a-f]{8}\.kre-test-\w+\.svc:9000$/)
    expect(await place.namespace.names('/api/v1/namespaces/NS/services')).toHaveLength(2)
  })

  test('leaves pods that find all they need, and serve, while no engine is there', async () => {
    await kre.json('stop')
    for (const [index, pod] of (await podsOf()).entries())
      running.push(await runPod(admin, pod, PORT + index))
    // Two nodes, the version's entrypoint, and the published one.
    expect(running).toHaveLength(4)
    const ports = running.flatMap(({ launch }) => launch.listen?.port ?? [])
    const answers = await Promise.all(ports.map(greetUntilAnswered))
    expect(answers).toEqual([{ greeting: 'Hello, Ada!' }, { greeting: 'Hello, Ada!' }])
  })

  test('goes on where it was, hears of the calls, and ends the version when it is asked to', async () => {
    await kre.json('dev', '--detach', '--no-example')
    expect(await statusOf()).toBe('PUBLISHED')
    await waitUntil(
      'the log of the calls',
      async () => {
        const { stdout } = await kre.run('version', 'logs', '-r', 'mine', 'hello-v1')
        return stdout.includes('greeting Ada')
      },
      LONG,
    )
    for (const verb of ['unpublish', 'stop', 'delete'])
      await kre.json('version', verb, '-r', 'mine', 'hello-v1')
    const selector = '?labelSelector=kre.dev%2Finstallation%3Dkre'
    await waitUntil(
      'nothing is left in the cluster',
      async () => {
        const kinds = ['pods', 'secrets', 'services', 'configmaps', 'serviceaccounts']
        const names = await Promise.all(
          kinds.map(async (kind) =>
            place.namespace.names(`/api/v1/namespaces/NS/${kind}${selector}`),
          ),
        )
        return names.flat().length === 0
      },
      LONG,
    )
  })
}

/** @throws what the last try has thrown, when none is answered in time. */
async function greetUntilAnswered(port: number): Promise<unknown> {
  let problem: unknown = null
  const greet = async () => {
    using client = await connectForeign(`127.0.0.1:${port}`, 'hello.Entrypoint', 'Greet')
    return await client.call({ name: 'Ada' })
  }
  const noted = (error: unknown) => {
    problem = error
    return null
  }
  try {
    return await waitUntil(`an answer at ${port}`, async () => greet().catch(noted), LONG)
  } catch (error) {
    throw problem ?? error
  }
}
