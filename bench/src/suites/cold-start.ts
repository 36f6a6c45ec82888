/** From a command to the first right answer. A `request` of these cases is one start. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, ECHO_PATH, type Suite } from '../bench.ts'
import { chain } from '../engine/bundles.ts'
import { startEchoFloor, startNatsFloor } from '../floors/start-floors.ts'
import { grpcFrame } from '../measure/grpc-frame.ts'
import { openProbe } from '../measure/grpc-probe.ts'
import { planRounds } from '../measure/plan-rounds.ts'
import { cpuMicros, withDescendants } from '../measure/processes.ts'
import { alignRows, type Sample, sampleRows, summarise } from '../report/summarise.ts'

const NODES = [1, 3, 20]
const POLL_MS = 10
const START_MS_MAX = 120_000
const CALL_MS = 10_000

export const coldStart: Suite = {
  name: 'cold-start',
  about: 'starting 1, 3 and 20 nodes, and the return of a node that was killed',
  minutes: 1.5,
  async run(bench) {
    const cases = new Map<string, () => Promise<Start>>([
      ['floor', () => startFloor(() => startEchoFloor())],
      ['natsFloor', () => startFloor(() => startNatsFloor(bench.engine.natsServer, bench.dir, 3))],
    ])
    for (const nodes of NODES) {
      const version = chain(`start${nodes}`, nodes, 'typescript')
      await bench.engine.create(version)
      cases.set(version.version, () => startVersion(bench, version.version))
    }
    const python = chain('python1', 1, 'python')
    await bench.engine.create(python)
    cases.set('python1', () => startVersion(bench, 'python1'))
    await bench.engine.start(chain('chain3', 3, 'typescript'))
    cases.set('restart', () => restartNode(bench, 'chain3', 'n2'))

    const samples = new Map<string, Sample[]>([...cases.keys()].map((name) => [name, []]))
    const { rounds } = planRounds(cases.size, { ...bench, hasAlone: false })
    for (let round = 0; round <= rounds; round++) {
      bench.say(round === 0 ? 'warming up' : `round ${round} of ${rounds}`)
      for (const [name, start] of cases) {
        bench.signal.throwIfAborted()
        const { ms, cpu } = await start()
        const requestsPerSecond = 1_000 / ms
        const sample = { requestsPerSecond, p50Ms: ms, p99Ms: ms, cpuMicrosPerRequest: cpu }
        // In the first one, caches of compiled code and packages are filled.
        if (round > 0) samples.get(name)?.push({ ...sample, failed: 0 })
      }
    }
    for (const line of alignRows(sampleRows(samples, 'loaded'))) bench.say(line)
    return summarise('cold-start', samples, {
      latency: 'a start',
      notes: [
        'a request is a start: p50Ms and p99Ms are its time, the CPU that of all its processes',
      ],
    })
  },
}

type Start = { ms: number; cpu: number }

async function startFloor(
  start: () => Promise<AsyncDisposable & { port: number; pids: readonly number[] }>,
): Promise<Start> {
  const began = performance.now()
  await using floor = await start()
  await untilAnswered(floor.port)
  return { ms: performance.now() - began, cpu: cpuMicros(floor.pids) }
}

const START = `mutation ($input: StartVersionInput!) { startVersion(input: $input) { id } }`
const SHOW = `query ($name: String!, $runtimeId: ID!) {
  version(name: $name, runtimeId: $runtimeId) { status statusReason entrypointAddress }
}`

async function startVersion({ engine, signal }: Bench, versionName: string): Promise<Start> {
  const began = performance.now()
  const input = { runtimeId: 'bench', versionName, comment: 'measured' }
  await engine.graphql(START, { input })
  for (;;) {
    type Shown = { status: string; statusReason: string; entrypointAddress: string }
    const { version } = await engine.graphql<{ version: Shown }>(SHOW, { name: versionName })
    if (version.status === 'STARTED') {
      await untilAnswered(Number(version.entrypointAddress.split(':').at(-1)))
      break
    }
    if (version.status === 'ERROR' || performance.now() - began > START_MS_MAX)
      throw new Error(`version ${versionName} did not start: ${version.statusReason}`)
    await sleep(POLL_MS, undefined, { signal })
  }
  const ms = performance.now() - began
  const pids = (await engine.processes(versionName)).flatMap(({ pid }) => pid ?? [])
  const cpu = cpuMicros(withDescendants(pids))
  await engine.stop(versionName)
  return { ms, cpu }
}

/** A call that comes right after the kill waits for the node that takes the place of the dead one. */
async function restartNode({ engine }: Bench, version: string, node: string): Promise<Start> {
  const { port, pids } = await engine.locate(version)
  const dead = (await engine.processes(version)).find((process) => process.node === node)?.pid
  if (!dead) throw new Error(`node ${node} of ${version} has no process`)
  const others = pids.filter((pid) => pid !== dead)
  const before = cpuMicros(others)
  const began = performance.now()
  process.kill(dead, 'SIGKILL')
  await untilAnswered(port)
  const ms = performance.now() - began
  const after = await engine.locate(version)
  return { ms, cpu: cpuMicros(after.pids) - before }
}

async function untilAnswered(port: number): Promise<void> {
  const end = performance.now() + START_MS_MAX
  let status = -1
  while (performance.now() < end) {
    using probe = openProbe(port, ECHO_PATH)
    ;({ status } = await probe.call(grpcFrame(100), CALL_MS))
    if (status === 0) return
    await sleep(POLL_MS)
  }
  throw new Error(`no right answer within ${START_MS_MAX} ms: gRPC status ${status}`)
}
