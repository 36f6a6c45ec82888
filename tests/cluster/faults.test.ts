/**
 * What becomes of versions when a part of the cluster fails: the real API server and etcd are halted, ended and started
 * again, and the line to them is slow or cut. `KRE_TEST_OUTAGE_MS` says how long they are away.
 */
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { tmpdir } from 'node:os'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, jest, test } from '@jest/globals'
import { type Target, toKreError } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import type { Cluster } from '../../k8s-manager/src/kubernetes/cluster/open-cluster.ts'
import { apply, ready as readySoon } from '../../k8s-manager/src/testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from '../../k8s-manager/src/testing/workloads.ts'
import { clusterPort, end, halt, isOwnCluster } from './support/cluster-processes.ts'
import { type Line, openLine, openOver } from './support/line.ts'
import { takes } from './support/life.ts'
import { startSecondWriter } from './support/second-writer.ts'
import { signToken, useTokenFile } from './support/short-token.ts'
import { driftsIn, type StartedTarget, startTarget } from './support/start-target.ts'
import { ask, hasCluster } from './support/test-cluster.ts'
import { useCluster } from './support/use-cluster.ts'

const OUTAGE_MS = Number(process.env['KRE_TEST_OUTAGE_MS'] ?? 2_000)
jest.setTimeout(180_000 + 2 * OUTAGE_MS)

const signal = new AbortController().signal
const LONG = { timeoutMs: 90_000 }
/** Takes a minute where other things go on: left out of what every change is asked. */
const slowTest = process.env['KRE_TEST_CORE'] === 'true' ? test.skip : test

if (!hasCluster || !isOwnCluster)
  describe.skip('faults of a cluster', () => test('are not tried', () => undefined))
else describe('faults of a cluster', faultsOfTheCluster)

function faultsOfTheCluster(): void {
  const cluster = useCluster()

  const run = async (started: StartedTarget) => {
    await apply(started.target, { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] })
    return ready(started.target, 2)
  }

  test('an API server that dies: nothing is done until it is back, and what runs goes on', async () => {
    await using started = await startTarget(cluster.admin)
    const { target } = started
    const before = await run(started)
    const plan = { apply: [nodeWorkload('model')], remove: [] }
    {
      await using _away = await end('kube-apiserver')
      await waitUntil('it says so', async () => (await problemOf(target)) !== null)
      expect(await problemOf(target)).toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining("can't be reached"),
      })
      await expect(apply(target, plan)).rejects.toMatchObject({ code: 'unavailable' })
      await sleep(OUTAGE_MS)
    }
    await waitUntil('it looks again', async () => (await problemOf(target)) === null, LONG)
    await takes(target, plan)
    expect(await ready(target, 3)).toEqual(expect.arrayContaining([...before]))
  })

  test('an API server that hangs: what was asked of it is done when it goes on', async () => {
    await using started = await startTarget(cluster.admin)
    const before = await run(started)
    const plan = { apply: [nodeWorkload('model')], remove: [] }
    let asked: Promise<unknown>
    {
      await using _halted = halt('kube-apiserver')
      asked = apply(started.target, plan).catch((error: unknown) => toKreError(error).code)
      // What was known before is what is known now.
      expect(await started.target.fetch(signal)).toEqual(before)
      await sleep(OUTAGE_MS)
    }
    // A request waits for 30 s; what hangs for longer is asked again.
    expect([expect.any(Array), 'unavailable']).toContainEqual(await asked)
    await takes(started.target, plan)
    await ready(started.target, 3)
  })

  test('an etcd that dies: changes wait or are refused, and are made when it is back', async () => {
    await using started = await startTarget(cluster.admin)
    await run(started)
    const plan = { apply: [nodeWorkload('model')], remove: [entrypointWorkload().id] }
    let asked: Promise<unknown>
    {
      await using _away = await end('etcd')
      asked = apply(started.target, plan).catch((error: unknown) => toKreError(error).code)
      await sleep(OUTAGE_MS)
    }
    expect([expect.any(Array), 'unavailable']).toContainEqual(await asked)
    await takes(started.target, plan)
    await waitUntil(
      'the entrypoint is gone',
      async () => (await started.target.fetch(signal)).every(({ role }) => role === 'node'),
      LONG,
    )
    await ready(started.target, 2)
  })

  slowTest(
    'an API server that is replaced in the middle of an apply: the objects are those of one that was not',
    async () => {
      const plan = {
        apply: [
          ...Array.from({ length: 20 }, (_, index) => nodeWorkload(`n${index}`)),
          entrypointWorkload(),
        ],
        remove: [],
      }
      await using undisturbed = await startTarget(cluster.admin)
      await takes(undisturbed.target, plan)
      await using started = await startTarget(cluster.admin)
      const asked = apply(started.target, plan).catch((error: unknown) => toKreError(error).code)
      await waitUntil('some of it is there', async () => {
        const names = await started.namespace.names('/apis/apps/v1/namespaces/NS/deployments')
        return names.length > 4
      })
      {
        await using _replaced = await end('kube-apiserver')
        expect(await asked).toBe('unavailable')
      }
      await waitUntil(
        'it looks again',
        async () => (await problemOf(started.target)) === null,
        LONG,
      )
      await takes(started.target, plan)
      await ready(started.target, 21)
      expect(await contentsOf(cluster.admin, started)).toEqual(
        await contentsOf(cluster.admin, undisturbed),
      )
      expect(await driftsIn(cluster.admin, started.namespace)).toEqual([])
    },
  )

  test('a line that is slow: everything is done, and nothing twice', async () => {
    await using line = await openLine(clusterPort())
    await using started = await startTarget(cluster.admin, {}, over(line))
    line.delayMs = 200
    const before = await run(started)
    const stages = await apply(started.target, {
      apply: [nodeWorkload('etl'), entrypointWorkload()],
      remove: [],
    })
    expect(stages.map(({ status }) => status)).toEqual(['skipped', 'skipped'])
    expect(await started.target.fetch(signal)).toEqual(before)
    expect(await driftsIn(cluster.admin, started.namespace)).toEqual([])
    // Five watches, and requests that are under way at once.
    expect(line.connections).toBeLessThan(40)
  })

  test('a line that is cut: what happened meanwhile is seen', async () => {
    await using line = await openLine(clusterPort())
    await using started = await startTarget(cluster.admin, {}, over(line))
    const before = await run(started)
    const [node] = before.filter(({ role }) => role === 'node')
    line.isOpen = false
    await waitUntil('it says so', async () => (await problemOf(started.target)) !== null)
    await started.kill(node?.replicas[0]?.replica ?? 0)
    line.isOpen = true
    await waitUntil('it looks again', async () => (await problemOf(started.target)) === null, LONG)
    await waitUntil('another pod is seen', async () => {
      const after = await ready(started.target, 2)
      return !isDeepStrictEqual(after.find(({ role }) => role === 'node')?.replicas, node?.replicas)
    })
    // And again and again, while something is done.
    const cutting = setInterval(() => line.cut(), 100)
    const asked = Promise.allSettled(
      ['a', 'b', 'c'].map(async (name) =>
        apply(started.target, { apply: [nodeWorkload(name)], remove: [] }),
      ),
    )
    await asked
    clearInterval(cutting)
    await waitUntil('it looks again', async () => (await problemOf(started.target)) === null, LONG)
    const all = ['a', 'b', 'c'].map((name) => nodeWorkload(name))
    await takes(started.target, { apply: all, remove: [] })
    await ready(started.target, 5)
  })

  test('a past that the cluster has forgotten (410): everything is listed again', async () => {
    const statuses: number[] = []
    await using line = await openLine(clusterPort())
    await using started = await startTarget(
      cluster.admin,
      {},
      { open: (kubeconfig) => noting(openOver(line, kubeconfig), statuses) },
    )
    const [before] = await run(started)
    line.isOpen = false
    await started.kill(before?.replicas[0]?.replica ?? 0)
    const home = `/api/v1/namespaces/${started.namespace.name}/configmaps`
    await ask(cluster.admin, 'POST', home, { metadata: { name: 'any' } }, 'application/json')
    await compact()
    {
      await using _again = await end('kube-apiserver')
    }
    line.isOpen = true
    await waitUntil('it is told', () => statuses.includes(410), LONG)
    await waitUntil('it looks again', async () => (await problemOf(started.target)) === null, LONG)
    await ready(started.target, 2)
  })

  slowTest(
    'somebody who writes the same objects all the time (409): both get what they want',
    async () => {
      await using started = await startTarget(cluster.admin)
      const { target, namespace } = started
      await run(started)
      const deployments = `/apis/apps/v1/namespaces/${namespace.name}/deployments`
      const [name] = await namespace.names(deployments)
      await using writer = startSecondWriter(cluster.admin, `${deployments}/${name}`)
      for (let revision = 2; revision < 6; revision++) {
        const wanted = [nodeWorkload('etl', { revision }), entrypointWorkload('v1', { revision })]
        const stages = await apply(target, { apply: wanted, remove: [] })
        expect(stages.map(({ status }) => status)).not.toContain('error')
      }
      await ready(target, 2)
      const found = (await target.fetch(signal)).map(({ specHash }) => specHash).toSorted()
      expect(found).toEqual(['entrypoint-5', 'well-5'])
      const all = [nodeWorkload('etl').id, entrypointWorkload().id]
      await apply(target, { apply: [], remove: all })
      await waitUntil('all is gone', async () => (await target.fetch(signal)).length === 0, LONG)
      expect(writer.writes).toBeGreaterThan(10)
    },
  )

  test('a login that expires: it says so, and the next one in its file counts at once', async () => {
    const home = await mkdtemp(join(tmpdir(), 'kre-token-'))
    const file = join(home, 'token')
    await using line = await openLine(clusterPort())
    await using started = await startTarget(
      cluster.admin,
      {},
      {
        before: async ({ name }) => writeFile(file, await signToken(cluster.admin, name, 5)),
        open(kubeconfig) {
          useTokenFile(kubeconfig, file)
          return openOver(line, kubeconfig)
        },
      },
    )
    const { target, namespace } = started
    await run(started)
    const plan = { apply: [nodeWorkload('etl', { revision: 2 })], remove: [] }
    const said = await waitUntil(
      'it is refused',
      async () => {
        const [stage] = await apply(target, plan)
        return stage?.status === 'error' ? stage.message : null
      },
      LONG,
    )
    expect(said).toContain('the cluster does not know who we are')
    line.cut()
    await waitUntil('it knows nothing', async () =>
      /renew the login/.test((await problemOf(target))?.message ?? ''),
    )
    await writeFile(file, await signToken(cluster.admin, namespace.name, 600))
    await waitUntil('it is let in', async () => (await problemOf(target)) === null, LONG)
    await takes(target, plan)
    await ready(target, 2)
    await rm(home, { recursive: true })
  })
}

const over = (line: Line) => ({ open: (kubeconfig: string) => openOver(line, kubeconfig) })

/** Controllers and scheduler of a cluster that was away take their time, too. */
async function ready(target: Target, count: number) {
  await waitUntil(
    `${count} replicas`,
    async () => countReady(target).then((now) => now === count),
    LONG,
  )
  return readySoon(target, count)
}

async function countReady(target: Target): Promise<number> {
  const observed = await target.fetch(signal).catch(() => [])
  return observed.flatMap(({ replicas }) => replicas).filter(({ state }) => state === 'ready')
    .length
}

/** Why nobody knows what runs; null = it is known. */
async function problemOf(target: Target): Promise<{ code: string; message: string } | null> {
  return target.fetch(signal).then(() => null, toKreError)
}

/** Notes how watches are answered that are refused. */
function noting(cluster: Cluster, statuses: number[]): Cluster {
  return {
    ...cluster,
    async stream(path, aborting) {
      const answer = await cluster.stream(path, aborting)
      if (!('status' in answer)) return notingErrors(answer, statuses)
      statuses.push(answer.status)
      return answer
    },
  }
}

async function* notingErrors(
  lines: AsyncIterable<string>,
  statuses: number[],
): AsyncGenerator<string> {
  for await (const line of lines) {
    const { type, object } = JSON.parse(line) as { type: string; object: { code?: number } }
    if (type === 'ERROR') statuses.push(object.code ?? 0)
    yield line
  }
}

/** Names of all objects, and what Deployments are to be, without what is different in every namespace. */
async function contentsOf(admin: Cluster, { namespace }: StartedTarget): Promise<object> {
  const apis = [
    ...['configmaps', 'secrets', 'services', 'serviceaccounts'].map(
      (plural) => `/api/v1/${plural}`,
    ),
    '/apis/apps/v1/deployments',
    '/apis/networking.k8s.io/v1/networkpolicies',
  ].map((api) => api.replace(/\/(?=[^/]+$)/, '/namespaces/NS/'))
  const names = await Promise.all(apis.map(async (api) => [api, await namespace.names(api)]))
  const path = `/apis/apps/v1/namespaces/${namespace.name}/deployments`
  const { items } = (await ask(admin, 'GET', path)) as { items: { spec: object }[] }
  const specs = JSON.stringify(items.map(({ spec }) => spec)).replaceAll(namespace.name, 'NS')
  return { names, specs: JSON.parse(specs) as object }
}

/** Takes from etcd what it remembers of the past. */
async function compact(): Promise<void> {
  const call = async (path: string, body: object) => {
    const url = `http://127.0.0.1:${clusterPort() + 1}/v3/${path}`
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
    return (await answer.json()) as { header: { revision: string } }
  }
  const { header } = await call('maintenance/status', {})
  await call('kv/compaction', { revision: header.revision, physical: true })
}
