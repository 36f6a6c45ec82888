/**
 * The whole product in real pods: installed by its chart from images made here, beside a database that speaks MongoDB's
 * protocol; a bundle uploaded, started, published, and called through the Service of its runtime.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JsonValue } from '@bufbuild/protobuf'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { connectForeign } from '../support/grpc-client.ts'
import { root } from '../support/kre.ts'
import { writeFiles } from '../support/ledger-bundle.ts'
import { connectRaw } from '../support/ledger.ts'
import { writeMixedBundle } from '../support/mixed-bundle.ts'
import { type Installation, installKre } from './support/install-kre.ts'
import { lookingFiles, type Surroundings } from './support/look-around.ts'
import { isReady, nameOf, podsOf, removePod } from './support/pods.ts'
import { medianTimes, type StartTimes, timeStart } from './support/time-start.ts'
import { whyNoPods } from './support/why-no-pods.ts'

jest.setTimeout(420_000)

const LONG = { timeoutMs: 120_000, everyMs: 200 }
const why = whyNoPods()

if (why !== null)
  describe.skip(`the product in pods (skipped: ${why})`, () => test('is tried', () => undefined))
else describe('the product in pods', productInPods)

function productInPods(): void {
  let kre: Installation
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kre-product-'))
    kre = await installKre({ engines: 1, natsServers: 1 })
  })
  afterAll(async () => {
    await kre?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const versionPods = async (version: string) =>
    podsOf(kre.admin, kre.namespace, `version-name=${version}`)
  /** Uploads a bundle, starts it, and makes it answer at the runtime's address. @returns that address. */
  const bringUp = async (runtime: string, version: string, bundle: string) => {
    await kre.krectl.json('runtime', 'create', runtime)
    await kre.krectl.json('version', 'create', '-r', runtime, bundle)
    await kre.krectl.json('version', 'start', '-r', runtime, version)
    await kre.krectl.json('version', 'publish', '-r', runtime, version)
    const { entrypointAddress } = await kre.krectl.json<{ entrypointAddress: string }>(
      'runtime',
      'show',
      runtime,
    )
    const address = await kre.addressOf(entrypointAddress.split('.')[0] ?? '')
    // The node sends what comes for a Service to its pods a moment after they are ready.
    await waitUntil('the Service leads to its pods', () => isOpen(address), LONG)
    return address
  }

  test('is ready, and says so when Helm asks', async () => {
    expect(await kre.helm('test', 'kre')).toMatch(/Phase:\s+Succeeded/)
    const pods = await podsOf(kre.admin, kre.namespace, 'app.kubernetes.io/instance=kre')
    const names = pods.filter(isReady).map(nameOf).toSorted()
    expect(names).toEqual(['kre-engine-0', 'kre-nats-0'])
  })

  test('answers calls of a published version, whose nodes are in TypeScript and Python', async () => {
    const bundle = join(folder, 'mixed')
    await writeMixedBundle(bundle)
    const address = await bringUp('hello', 'hello-v1', bundle)
    using client = await connectForeign(address, 'hello.Entrypoint', 'Greet')
    expect(await client.call({ name: '  Ada ' })).toEqual({ greeting: 'Hello, Ada!' })
    await waitUntil(
      'the log of the call',
      async () =>
        (await kre.krectl.text('version', 'logs', '-r', 'hello', 'hello-v1')).includes(
          'greeting Ada',
        ),
      LONG,
    )
  })

  test.each(['digits', 'digits-no-code'])(
    'runs the example "%s", whose nodes are in TypeScript, a model and Python',
    async (example) => {
      const address = await bringUp(example, `${example}-v1`, join(root, 'examples', example))
      using client = await connectForeign(address, 'digits.Entrypoint', 'ClassifyDigit')
      const request = await readFile(join(root, 'examples/digits/request.json'), 'utf8')
      expect(await client.call(JSON.parse(request) as JsonValue)).toMatchObject({ label: 3 })
      await kre.krectl.json('version', 'unpublish', '-r', example, `${example}-v1`)
      await kre.krectl.json('version', 'stop', '-r', example, `${example}-v1`)
    },
  )

  test('gives user code nothing that it does not need', async () => {
    const bundle = join(folder, 'looking')
    await writeFiles(bundle, lookingFiles('looking'))
    using client = connectRaw(await bringUp('inside', 'looking', bundle))
    const outcome = await client.ask({ id: 'look' }, 30_000)
    if (!outcome.ok) throw new Error(`${outcome.code} ${outcome.message}`)
    const seen = JSON.parse(outcome.ticket.trail) as Surroundings
    const nobody = Array.from({ length: 4 }, () => '65534').join('\t')
    expect(seen.status).toEqual({
      Uid: nobody,
      Gid: nobody,
      CapEff: '0000000000000000',
      CapPrm: '0000000000000000',
      CapBnd: '0000000000000000',
      NoNewPrivs: '1',
      // Filtered: the runtime's own profile.
      Seccomp: '2',
    })
    expect(seen.written).toEqual({
      '/': 'EROFS',
      '/opt/kre': 'EROFS',
      '/krt-files': 'EROFS',
      '/kre/bundle': 'EROFS',
      '/kre/launch': 'EROFS',
      '/kre/access': 'EROFS',
      '/tmp': 'done',
      '/kre/work': 'done',
    })
    expect(seen.secrets).toEqual([])
    expect(seen.environment.filter((name) => /MONGODB|SERVICE_HOST|_PORT_/.test(name))).toEqual([])
    expect(seen.memoryBytes).toBe(300 * 1024 * 1024)
  })

  test('brings a pod that was taken away back, ten times', async () => {
    const nodes = async () => podsOf(kre.admin, kre.namespace, 'version-name=looking,type=node')
    const all: StartTimes[] = []
    while (all.length < 10) {
      const [former] = await nodes()
      if (former === undefined) throw new Error('the node has no pod')
      await removePod(kre.admin, former)
      const find = async () =>
        (await nodes()).find(({ metadata }) => metadata?.uid !== former.metadata?.uid) ?? null
      const times = await timeStart(find)
      if (times !== null) all.push(times)
      await waitUntil('the former one is gone', async () => (await nodes()).length === 1, LONG)
    }
    process.stderr.write(`median ms of ten starts of a pod: ${JSON.stringify(medianTimes(all))}\n`)
  })

  test('ends the pods of a version that is stopped', async () => {
    for (const verb of ['unpublish', 'stop', 'delete'])
      await kre.krectl.json('version', verb, '-r', 'hello', 'hello-v1')
    await waitUntil(
      'its pods are gone',
      async () => (await versionPods('hello-v1')).length === 0,
      LONG,
    )
  })
}

/** Whether somebody takes connections there. */
function isOpen(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':')
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 1_000 })
    socket.on('connect', () => resolve(true)).on('close', () => resolve(false))
    for (const event of ['connect', 'error', 'timeout']) socket.on(event, () => socket.destroy())
  })
}
