/**
 * What happens to pods while they are asked all the time, and what becomes of each request: three servers of NATS, two
 * engines, two replicas of everything a request passes. Each request gets its own answer, or an error that says why; what
 * an operator does on purpose loses none.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { type BundleNode, chainFiles, writeFiles } from '../support/ledger-bundle.ts'
import { connectRaw, type Tally } from '../support/ledger.ts'
import { type Installation, installKre } from './support/install-kre.ts'
import {
  evict,
  isReady,
  nameOf,
  type Pod,
  podsOf,
  processesOf,
  readSecret,
  removePod,
} from './support/pods.ts'
import { underLoad } from './support/under-load.ts'
import { whyNoPods } from './support/why-no-pods.ts'

jest.setTimeout(420_000)

const RUNTIME = 'shop'
const LONG = { timeoutMs: 180_000, everyMs: 250 }
const FLAWLESS = { failed: {}, wrong: [], silent: 0 }
/** Of credentials: short, so that they are renewed while the tests run. */
const CREDENTIALS_MS = 150_000
const TWO = 'replicas: 2, resources: { memory: { limit: 192Mi } }'
const NODES: Record<string, BundleNode> = { a: { more: TWO }, b: { more: TWO } }
const why = whyNoPods()

if (why !== null)
  describe.skip(`faults of pods (skipped: ${why})`, () => test('are tried', () => undefined))
else describe('faults of pods', faultsOfPods)

function faultsOfPods(): void {
  let kre: Installation
  let folder: string
  let address: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kre-faults-'))
    const environment = {
      KRE_NATS_CREDENTIALS_MS: String(CREDENTIALS_MS),
    }
    kre = await installKre({ engines: 2, natsServers: 3, environment })
    await kre.krectl.json('runtime', 'create', RUNTIME)
    await upload('v1')
    await kre.krectl.json('version', 'publish', '-r', RUNTIME, 'v1')
    const shown = await kre.krectl.json<{ entrypointAddress: string }>('runtime', 'show', RUNTIME)
    address = await kre.addressOf(shown.entrypointAddress.split('.')[0] ?? '')
    await waitUntil('an answer', async () => (await ask('')).ok, LONG)
  })
  afterAll(async () => {
    await kre?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  async function upload(version: string): Promise<void> {
    const bundle = join(folder, version)
    const files = chainFiles(version, NODES)
    const configured = `${files['kre.yaml']}config: { variables: [GREETING] }\n`
    await writeFiles(bundle, { ...files, 'kre.yaml': configured })
    await kre.krectl.json('version', 'create', '-r', RUNTIME, bundle)
    await kre.krectl.json('config', 'set', '-r', RUNTIME, version, 'GREETING=one')
    await kre.krectl.json('version', 'start', '-r', RUNTIME, version)
  }
  async function ask(command: string) {
    using client = connectRaw(address)
    return await client.ask({ id: 'one', command }, 20_000)
  }
  const load = async (happens: () => Promise<unknown>) => underLoad(address, 'ab', happens)
  /** Of the runtime, those that serve; published entrypoints are no version's. */
  const pods = async (selector = '') =>
    podsOf(
      kre.admin,
      kre.namespace,
      `runtime-id=${RUNTIME}${selector === '' ? '' : `,${selector}`}`,
    )
  const untilAllReady = async (count: number, selector = '') =>
    waitUntil(
      `${count} pods ready`,
      async () => {
        const found = await pods(selector)
        return found.length === count && found.every(isReady)
      },
      LONG,
    )
  const show = async (version: string) => kre.krectl.text('version', 'show', '-r', RUNTIME, version)
  const uids = async () => new Set((await pods()).map(({ metadata }) => metadata?.uid))
  const nodePod = async (version: string, node: string): Promise<Pod> => {
    const [pod] = (await pods(`version-name=${version},node-id=${node}`)).filter(isReady)
    if (pod === undefined) throw new Error(`${node} of ${version} has no pod that is ready`)
    return pod
  }

  test('a change of the configuration replaces all nodes, and loses no request', async () => {
    const before = new Set((await pods('type=node')).map(nameOf))
    const tally = await load(async () => {
      await kre.krectl.json('config', 'set', '-r', RUNTIME, 'v1', 'GREETING=two')
      await waitUntil(
        'other pods',
        async () => {
          const found = await pods('type=node')
          return (
            found.length === 4 && found.every((pod) => isReady(pod) && !before.has(nameOf(pod)))
          )
        },
        LONG,
      )
    })
    expect(tally).toMatchObject(FLAWLESS)
  })

  test('a second version takes over without a request lost', async () => {
    const tally = await load(async () => {
      await upload('v2')
      await kre.krectl.json('version', 'publish', '-r', RUNTIME, 'v2')
      await kre.krectl.json('version', 'stop', '-r', RUNTIME, 'v1')
      await untilAllReady(8)
    })
    expect(tally).toMatchObject(FLAWLESS)
  })

  test('a machine that is emptied takes one replica at a time, and no request is lost', async () => {
    const all = await pods()
    let refusals = 0
    const tally = await load(async () => {
      for (const pod of all) {
        const isEvicted = async () => {
          const done = await evict(kre.admin, pod)
          if (!done) refusals += 1
          return done
        }
        await waitUntil(`${nameOf(pod)} is evicted`, isEvicted, LONG)
      }
      await untilAllReady(8)
    })
    // The budgets were asked, and said no at least once.
    expect(refusals).toBeGreaterThan(0)
    expect(tally).toMatchObject(FLAWLESS)
  })

  test('all engines may go: the version serves on, and they come back', async () => {
    const selector = 'app.kubernetes.io/component=engine'
    const engines = await podsOf(kre.admin, kre.namespace, selector)
    const tally = await load(async () => {
      for (const pod of engines) await removePod(kre.admin, pod)
      await waitUntil(
        'other engines',
        async () => {
          const found = await podsOf(kre.admin, kre.namespace, selector)
          const isNew = ({ metadata }: Pod) =>
            engines.every((old) => old.metadata?.uid !== metadata?.uid)
          return found.length === 2 && found.every((pod) => isReady(pod) && isNew(pod))
        },
        LONG,
      )
    })
    expect(tally).toMatchObject(FLAWLESS)
    await waitUntil(
      'its status is known',
      async () => (await show('v2')).includes('PUBLISHED'),
      LONG,
    )
  })

  test('a server of NATS may be moved, and no request is lost', async () => {
    const selector = 'app.kubernetes.io/component=nats'
    const [server] = await podsOf(kre.admin, kre.namespace, selector)
    if (server === undefined) throw new Error('there is no server')
    const tally = await load(async () => {
      await waitUntil('it is evicted', async () => evict(kre.admin, server), LONG)
      await waitUntil(
        'another one in its place',
        async () => {
          const found = await podsOf(kre.admin, kre.namespace, selector)
          const isNew = found.every(({ metadata }) => metadata?.uid !== server.metadata?.uid)
          return isNew && found.length === 3 && found.every(isReady)
        },
        LONG,
      )
    })
    expect(tally).toMatchObject(FLAWLESS)
  })

  test('credentials are renewed in the files of pods that run, and no request is lost', async () => {
    const [pod] = await pods('version-name=v2,node-id=a')
    const started = await uids()
    const secretName = pod?.spec?.volumes?.find(({ name }) => name === 'access')?.secret?.secretName
    const read = async () => readSecret(kre.admin, kre.namespace, secretName ?? '')
    const tally = await load(async () => {
      // Once more than what is left of those that pods began with.
      for (const turn of ['once', 'again', 'a third time']) {
        const before = JSON.stringify(await read())
        await waitUntil(
          `renewed ${turn}`,
          async () => JSON.stringify(await read()) !== before,
          LONG,
        )
      }
    })
    expect(tally).toMatchObject(FLAWLESS)
    expect(await uids()).toEqual(started)
  })

  test('a process that is killed is started again, and each request gets its answer', async () => {
    const pod = await nodePod('v2', 'b')
    const tally = await load(async () => {
      for (const pid of await processesOf(pod)) process.kill(pid, 'SIGKILL')
      await waitUntil('its end was seen', async () => restartsOf(await again(pod)) > 0, LONG)
      await untilAllReady(8)
    })
    expect(honest(tally)).toMatchObject({ wrong: [], silent: 0, unexplained: [] })
    expect(tally.failures).toBe(0)
  })

  test('a node that takes more memory than it may is ended, and its version says so', async () => {
    const tally = await load(async () => {
      const outcome = await ask('b:buffers')
      // The one that did it gets an error, after another replica has died of it too.
      expect(outcome).toMatchObject({ ok: false })
      await waitUntil(
        'the reason is shown',
        async () => {
          return (await show('v2')).includes('OOMKilled: it used more memory than it may')
        },
        LONG,
      )
      await untilAllReady(8)
    })
    expect(honest(tally)).toMatchObject({ wrong: [], silent: 0, unexplained: [] })
  })

  async function again(pod: Pod): Promise<Pod> {
    const found = (await pods()).find(({ metadata }) => metadata?.uid === pod.metadata?.uid)
    if (found === undefined) throw new Error(`${nameOf(pod)} is gone`)
    return found
  }
}

function restartsOf({ status }: Pod): number {
  return status?.containerStatuses?.[0]?.restartCount ?? 0
}

/** Failures that tell the caller nothing are not honest. */
function honest({ wrong, silent, failed }: Tally) {
  const unexplained = Object.keys(failed).filter(
    (text) => !/^(?:UNAVAILABLE|DEADLINE_EXCEEDED|ABORTED|RESOURCE_EXHAUSTED): .{10}/.test(text),
  )
  return { wrong, silent, unexplained }
}
