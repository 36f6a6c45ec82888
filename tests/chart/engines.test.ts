/** Engines with what the chart gives them: they run a version on the cluster, and one goes on where another one ended. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startMongo, type TestMongo } from '@kre/store/testing/mongo'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { type FakeNodes, startFakeNodes } from '../cluster/support/fake-nodes.ts'
import { ask, hasCluster, openAsAdmin } from '../cluster/support/test-cluster.ts'
import { packChain } from '../support/ledger-bundle.ts'
import type { TestEngine } from '../support/ledger-engine.ts'
import { type ChartEngines, startChartEngines } from './support/chart-engines.ts'
import { hasHelm } from './support/helm.ts'
import { makeHome } from './support/make-home.ts'

jest.setTimeout(240_000)
/** An engine that takes over waits for the lease of the one that was killed, and then looks around. */
const TAKEN_OVER_MS = 90_000

const mongo = hasCluster && hasHelm ? await startMongo() : null
if (mongo === null)
  describe.skip('engines of the chart', () => test('are not started', () => undefined))
else describe(`engines of the chart (${mongo.kind})`, () => onCluster(mongo))

function onCluster(server: TestMongo): void {
  const namespace = `kre-chart-${randomBytes(4).toString('hex')}`
  const owned: AsyncDisposable[] = [server]
  let admin: Cluster
  let engines: ChartEngines
  let first: TestEngine
  let second: TestEngine
  beforeAll(async () => {
    admin = openAsAdmin()
    const nodes: FakeNodes = await startFakeNodes(admin)
    owned.push(nodes, await makeHome(admin, namespace))
    engines = await startChartEngines(admin, namespace, {
      KRE_MONGODB_URI: server.uri,
      KRE_MONGODB_PREFIX: server.newPrefix(),
    })
    owned.push(engines)
    first = await engines.start(0)
    second = await engines.start(1)
  })
  afterAll(async () => {
    for (const one of owned.toReversed()) await one[Symbol.asyncDispose]()
    admin[Symbol.dispose]()
  })

  /** Of the version; that of the runtime's address stays. */
  const deployments = async () => {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments?labelSelector=version-name%3Dv1`
    const { items } = (await ask(admin, 'GET', path)) as { items: unknown[] }
    return items.length
  }

  test('both serve, and what is uploaded at one is started at the other', async () => {
    await first.createRuntime('shop')
    expect((await second.upload('shop', await packChain('v1'))).status).toBe(201)
    await second.operate('start', 'shop', 'v1')
    await first.reach('shop', 'v1', 'STARTED', TAKEN_OVER_MS)
    expect(await deployments()).toBeGreaterThan(1)
  })

  test('an engine that is told to end leaves the version alone, and the other one leads', async () => {
    const before = await deployments()
    const ended = once(first.process(), 'exit')
    first.process().kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    expect(await deployments()).toBe(before)
    await second.operate('publish', 'shop', 'v1')
    await second.reach('shop', 'v1', 'PUBLISHED', TAKEN_OVER_MS)
    await first.start()
    await second.operate('unpublish', 'shop', 'v1')
    await first.reach('shop', 'v1', 'STARTED', TAKEN_OVER_MS)
  })

  test('a server of NATS that dies takes nothing along', async () => {
    expect(await engines.copiesOfStreams()).toEqual([3])
    await engines.killNats(0)
    expect((await first.upload('shop', await packChain('v2', { only: {} }))).status).toBe(201)
    await first.operate('start', 'shop', 'v2')
    await first.reach('shop', 'v2', 'STARTED', TAKEN_OVER_MS)
    expect((await first.version('shop', 'v1')).status).toBe('STARTED')
    expect(await engines.copiesOfStreams()).toEqual([3])
  })

  test('the one that stands by takes over when the one that leads is killed', async () => {
    const before = await deployments()
    await second.kill()
    expect(await deployments()).toBe(before)
    await first.operate('stop', 'shop', 'v1')
    await first.reach('shop', 'v1', 'STOPPED', TAKEN_OVER_MS)
    await waitUntil('nothing of it is left', async () => (await deployments()) === 0)
  })
}
