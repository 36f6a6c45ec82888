/**
 * The engine on a real API server with machines that run nothing: more and more versions, what each costs to start, and
 * what the engine, NATS and etcd do and hold while nothing changes.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MINUTE_MS, SECOND_MS } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { openSqliteStore, type Store, type Version } from '@kre/store'
import { startProfile, stopProfile } from '../../bench/src/profile/inspect.ts'
import { makeEnginePlace } from '../cluster/support/engine-place.ts'
import { startFakeNodes } from '../cluster/support/fake-nodes.ts'
import { openAsAdmin } from '../cluster/support/test-cluster.ts'
import { root } from '../support/kre.ts'
import { packChain } from '../support/ledger-bundle.ts'
import { startTestEngine, type TestEngine } from '../support/ledger-engine.ts'
import { type ApiCounts, apiCounts, etcdBytes, lessCounts } from './api-server.ts'
import { type NatsHoldings, natsHoldings, natsPid } from './nats-store.ts'
import { meterUsage, type Usage } from './process-usage.ts'

/** `versions`: all in one runtime; `runtimes`: each in one of its own. */
export type Shape = 'versions' | 'runtimes'

export type ClusterOptions = {
  /** Numbers of running versions, ascending. */
  steps: readonly number[]
  shape: Shape
  /** Of each version; its entrypoint comes to them. */
  nodes: number
  steadySeconds: number
  kubeconfig: string
  /** Flags of the engine's V8. */
  v8: readonly string[]
  /** Folder for CPU profiles of the engine; null = none. */
  profileDir: string | null
  say: (line: string) => void
  signal: AbortSignal
}

export type ClusterStep = {
  versions: number
  /** Of those that this step has added. */
  perStart: {
    wallMs: number
    engineCpuMs: number
    natsCpuMs: number
    writes: number
    dryRuns: number
  }
  lists: number
  steady: {
    seconds: number
    engine: Usage
    nats: Usage
    api: ApiCounts
  }
  nats: NatsHoldings
  etcdMiB: number
}

const FIRST = 'v0'
/** Room of a fake machine: each pod asks for 4 GiB of its 1,000 of disk. */
const PODS_PER_MACHINE = 240
/** Versions whose start is asked for at once. */
const AT_ONCE = 4
const STEP_MS_MAX = 20 * MINUTE_MS
/** A minute after the last change nothing of a start is left to do. */
const SETTLE_MS = 10 * SECOND_MS
const MIB = 1024 * 1024
/** Of the engine's log, that are shown when a step fails. */
const LOG_CHARS = 4_000

export async function measureCluster(options: ClusterOptions): Promise<ClusterStep[]> {
  const { steps, say } = options
  await using opened = new AsyncDisposableStack()
  const admin = opened.adopt(openAsAdmin(), (cluster) => cluster[Symbol.dispose]())
  const pods = (steps.at(-1) ?? 0) * (options.nodes + 1 + (options.shape === 'runtimes' ? 1 : 0))
  const count = Math.ceil(pods / PODS_PER_MACHINE) + 1
  opened.use(await startFakeNodes(admin, { count }))
  const place = opened.use(await makeEnginePlace(admin))
  say('starting an engine')
  const engine = opened.use(
    await startTestEngine(
      {
        ...place.environment,
        KRE_LOG_LEVEL: 'warn',
        MALLOC_ARENA_MAX: '1',
        NODE_COMPILE_CACHE: join(root, '.kre/cache/code'),
      },
      undefined,
      undefined,
      options.v8,
    ),
  )
  const natsDir = join(place.home, 'nats')
  const store = opened.use(await openSqliteStore({ dataDir: engine.dataDir, isAlone: false }))
  const original = await uploadFirst(engine, store, options.nodes)
  const found: ClusterStep[] = []
  const running = { engine, store, admin, natsDir, original }
  try {
    for (const [index, versions] of steps.entries())
      found.push(await measureStep(options, running, steps[index - 1] ?? 0, versions))
  } catch (error) {
    // Its folder goes with it.
    const log = await readFile(join(engine.dataDir, 'engine.log'), 'utf8')
    throw new Error(`the engine said last:\n${log.slice(-LOG_CHARS)}`, { cause: error })
  }
  return found
}

type Running = {
  engine: TestEngine
  store: Store
  admin: Parameters<typeof apiCounts>[0]
  natsDir: string
  original: Version
}

async function measureStep(
  options: ClusterOptions,
  { engine, store, admin, natsDir, original }: Running,
  from: number,
  versions: number,
): Promise<ClusterStep> {
  const { say, shape, signal, steadySeconds } = options
  signal.throwIfAborted()
  say(`${versions} versions: starting ${versions - from}`)
  const places = await addVersions(store, original, shape, from, versions)
  const pids = [engine.pid(), await natsPid(natsDir)]
  const before = await apiCounts(admin, signal)
  const [engineUsage, natsUsage] = pids.map(meterUsage)
  const began = performance.now()
  await profiled(options, engine, `start-${versions}`, async () => {
    await startAll(engine, places)
    await untilReady(store, places, options.nodes + 1, signal)
  })
  const wallMs = performance.now() - began
  const counts = lessCounts(await apiCounts(admin, signal), before)
  const added = versions - from
  const perStart = {
    wallMs: wallMs / added,
    engineCpuMs: (engineUsage?.().cpuMs ?? 0) / added,
    natsCpuMs: (natsUsage?.().cpuMs ?? 0) / added,
    writes: counts.writes / added,
    dryRuns: counts.dryRuns / added,
  }
  say(JSON.stringify({ versions, perStart, lists: counts.lists }))
  await sleep(SETTLE_MS, undefined, { signal })
  const steadyBefore = await apiCounts(admin, signal)
  const steadyMeters = pids.map(meterUsage)
  await profiled(options, engine, `steady-${versions}`, async () =>
    sleep(steadySeconds * SECOND_MS, undefined, { signal }),
  )
  const [engineSteady, natsSteady] = steadyMeters.map((meter) => meter()) as [Usage, Usage]
  const step: ClusterStep = {
    versions,
    perStart,
    lists: counts.lists,
    steady: {
      seconds: steadySeconds,
      engine: engineSteady,
      nats: natsSteady,
      api: lessCounts(await apiCounts(admin, signal), steadyBefore),
    },
    nats: await natsHoldings(natsDir),
    etcdMiB: (await etcdBytes(options.kubeconfig)) / MIB,
  }
  say(JSON.stringify(step))
  return step
}

type Place = { runtimeId: string; version: string }

/** A bundle that was really uploaded: the others are copies of its version, as uploads are not what is measured. */
async function uploadFirst(engine: TestEngine, store: Store, count: number): Promise<Version> {
  const runtimeId = 'first'
  const nodes = Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, {}]))
  await engine.createRuntime(runtimeId)
  const { status, body } = await engine.upload(runtimeId, await packChain(FIRST, nodes))
  const original = await store.versions.find(runtimeId, FIRST)
  if (original === null)
    throw new Error(`the bundle was not taken: ${status} ${JSON.stringify(body)}`)
  return original
}

async function addVersions(
  store: Store,
  original: Version,
  shape: Shape,
  from: number,
  to: number,
): Promise<Place[]> {
  const places: Place[] = []
  for (let n = from; n < to; n++) {
    const runtimeId = shape === 'versions' ? original.runtimeId : `r${n}`
    const version = `copy-${n}`
    const now = new Date()
    if (shape === 'runtimes')
      await store.runtimes.create({
        id: runtimeId,
        name: runtimeId,
        description: 'measured',
        createdAt: now,
        createdBy: 'scale@kre.local',
      })
    const id = `${runtimeId}/${version}`
    await store.versions.create({ ...original, id, runtimeId, name: version, createdAt: now })
    places.push({ runtimeId, version })
  }
  return places
}

async function startAll(engine: TestEngine, places: readonly Place[]): Promise<void> {
  const queue = [...places]
  const work = async () => {
    for (let place = queue.shift(); place !== undefined; place = queue.shift())
      await engine.operate('start', place.runtimeId, place.version)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

/** Read where the engine writes it down: asking the engine would be work of its own. */
async function untilReady(
  store: Store,
  places: readonly Place[],
  workloads: number,
  signal: AbortSignal,
): Promise<void> {
  const left = new Map(Map.groupBy(places, ({ runtimeId }) => runtimeId))
  const isReady = async () => {
    for (const [runtimeId, own] of left) {
      const placement = await store.placements.get(runtimeId)
      const ready = new Map<string | null, number>()
      for (const { version, replicas } of placement?.workloads ?? [])
        if (replicas.some(({ state }) => state === 'ready'))
          ready.set(version, (ready.get(version) ?? 0) + 1)
      if (own.every(({ version }) => ready.get(version) === workloads)) left.delete(runtimeId)
      else return false
    }
    return true
  }
  const what = `${places.length} versions`
  await waitUntil(what, isReady, { timeoutMs: STEP_MS_MAX, everyMs: 500, signal })
}

async function profiled(
  { profileDir }: ClusterOptions,
  engine: TestEngine,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  if (profileDir !== null) await startProfile(engine.pid())
  await work()
  if (profileDir !== null)
    await writeFile(join(profileDir, `${name}.cpuprofile`), await stopProfile(engine.pid()))
}
