/** Engines on Kubernetes that share a MongoDB, a NATS and a namespace, and no folder: as pods of a chart do. */
import { once } from 'node:events'
import { copyFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startMongo, type TestMongo } from '@kre/store/testing/mongo'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { packChain } from '../support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from '../support/ledger-engine.ts'
import { type EnginePlace, makeEnginePlace } from './support/engine-place.ts'
import { type FakeNodes, startFakeNodes } from './support/fake-nodes.ts'
import { hasCluster, openAsAdmin } from './support/test-cluster.ts'

jest.setTimeout(240_000)

const RUNTIME = 'mine'
const LONG_MS = 120_000

const mongo = hasCluster ? await startMongo() : null
if (mongo === null)
  describe.skip('engines of one installation', () => test('are not tried', () => undefined))
else describe('engines of one installation', () => severalEngines(mongo))

function severalEngines(server: TestMongo): void {
  let admin: Cluster
  let nodes: FakeNodes
  let place: EnginePlace
  let folder: string
  let first: TestEngine
  let second: TestEngine

  beforeAll(async () => {
    admin = openAsAdmin()
    nodes = await startFakeNodes(admin)
    place = await makeEnginePlace(admin)
    const environment = {
      ...place.environment,
      KRE_MONGODB_URI: server.uri,
      KRE_MONGODB_PREFIX: server.newPrefix(),
    }
    first = await startTestEngine({ ...environment, KRE_ENGINE_NAME: 'kre-0' })
    folder = await mkdtemp(join(tmpdir(), 'kre-second-'))
    const shared = (name: string) => join(first.dataDir, name)
    // The test reads it there.
    await copyFile(shared('token'), join(folder, 'token'))
    second = await startTestEngine(
      {
        ...environment,
        KRE_ENGINE_NAME: 'kre-1',
        KRE_PEPPER_FILE: shared('pepper'),
        KRE_TOKEN_FILE: shared('token'),
        KRE_MASTER_KEY_FILE: shared('master-key'),
      },
      folder,
    )
  })
  afterAll(async () => {
    await second?.kill()
    await first?.[Symbol.asyncDispose]()
    await place?.[Symbol.asyncDispose]()
    await nodes?.[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
    admin?.[Symbol.dispose]()
  })

  const deployments = async () => place.namespace.names('/apis/apps/v1/namespaces/NS/deployments')

  test('show the same: what one is asked for, the one that leads does', async () => {
    await first.createRuntime(RUNTIME)
    await second.upload(RUNTIME, await packChain('v1'))
    await second.operate('start', RUNTIME, 'v1')
    await first.reach(RUNTIME, 'v1', 'STARTED', LONG_MS)
    await second.reach(RUNTIME, 'v1', 'STARTED', LONG_MS)
    expect((await deployments()).length).toBeGreaterThan(2)
  })

  test('take over from one that is killed, and leave what runs alone', async () => {
    const before = await deployments()
    await first.kill()
    // Only who leads takes anything out of the cluster.
    await second.upload(RUNTIME, await packChain('v2'))
    await second.operate('start', RUNTIME, 'v2')
    await second.reach(RUNTIME, 'v2', 'STARTED', LONG_MS)
    for (const name of before) expect(await deployments()).toContain(name)
    await second.operate('stop', RUNTIME, 'v1')
    await second.reach(RUNTIME, 'v1', 'STOPPED', LONG_MS)
  })

  test('take over at once from one that is told to end, which ends nothing else', async () => {
    await first.start()
    await first.reach(RUNTIME, 'v2', 'STARTED', LONG_MS)
    const before = await deployments()
    const ended = once(second.process(), 'exit')
    second.process().kill('SIGTERM')
    await ended
    expect(await deployments()).toEqual(before)
    await first.operate('stop', RUNTIME, 'v2')
    await first.reach(RUNTIME, 'v2', 'STOPPED', LONG_MS)
    await waitUntil('nothing runs', async () => (await deployments()).length === 0, {
      timeoutMs: LONG_MS,
    })
  })
}
