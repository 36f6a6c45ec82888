/** A version without any engine: every engine process is killed, and the version is called at a steady rate. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MINUTE_MS, SECOND_MS } from '@kre/contracts'
import { readEngineRecords, waitUntil } from '@kre/service-kit'
import { type BenchEngine, startBenchEngine } from '../../bench/src/engine/bench-engine.ts'
import { chain } from '../../bench/src/engine/bundles.ts'
import { grpcFrame } from '../../bench/src/measure/grpc-frame.ts'
import { openProbe, type Probe } from '../../bench/src/measure/grpc-probe.ts'
import { residentBytes } from '../../bench/src/measure/processes.ts'
import { quantile } from '../../bench/src/report/statistics.ts'
import { isAlive } from '../support/kre.ts'

export type LossOptions = {
  /** Where the engine keeps its data. */
  dir: string
  minutes: number
  callsPerSecond: number
  /** Life of the processes' credentials; null = what the engine chooses by itself. */
  credentialsMs: number | null
  say: (line: string) => void
  signal: AbortSignal
}

export type LossReport = {
  minutes: number
  calls: number
  /** By gRPC status; none = all were answered. */
  failures: Record<string, number>
  p50Ms: number
  p99Ms: number
  /** Between two answers. */
  longestGapMs: number
  /** Pids of the version's processes were the same at the end. */
  sameProcesses: boolean
  /** Of all processes of the version together. */
  residentMiB: { before: number; after: number }
  /** Until the next engine had taken over what runs, and answered. */
  nextEngineMs: number
}

const VERSION = 'alone'
const PATH = '/bench.Entrypoint/Echo'
const DEADLINE_MS = 10 * SECOND_MS
/** Beyond the measured time, so that the next engine finds what runs. */
const GRACE_MS = 10 * MINUTE_MS
const SAY_EVERY_MS = MINUTE_MS
const MIB = 1024 * 1024

/** @throws Error when an engine can't be killed, or the next one does not come up. */
export async function loseEngine(options: LossOptions): Promise<LossReport> {
  const { minutes, credentialsMs, say } = options
  await using engine = await startBenchEngine(options.dir, say, {
    KRE_ENGINE_ABSENCE_MS: String(Math.ceil(minutes * MINUTE_MS) + GRACE_MS),
    ...(credentialsMs === null ? {} : { KRE_NATS_CREDENTIALS_MS: String(credentialsMs) }),
  })
  const { port } = await engine.start(chain(VERSION, 3, 'typescript'))
  const before = await pidsOf(engine)
  const residentBefore = residentMiB(before)
  await killEngines(engine)
  say(`no engine runs; ${options.callsPerSecond} calls/s for ${minutes} min`)
  const calls = await callSteadily(port, options)
  const residentAfter = residentMiB(before)
  const began = performance.now()
  await engine.takeOver()
  const nextEngineMs = performance.now() - began
  const after = await pidsOf(engine)
  return {
    minutes,
    ...calls,
    sameProcesses: before.length > 0 && before.join() === after.join(),
    residentMiB: { before: residentBefore, after: residentAfter },
    nextEngineMs,
  }
}

async function killEngines({ dataDir }: BenchEngine): Promise<void> {
  const pids = (await readEngineRecords(dataDir)).map(({ pid }) => pid)
  if (pids.length === 0) throw new Error(`no engine is on record in ${dataDir}`)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await waitUntil('no engine', () => !pids.some(isAlive), { timeoutMs: 10 * SECOND_MS })
}

type Calls = Pick<LossReport, 'calls' | 'failures' | 'p50Ms' | 'p99Ms' | 'longestGapMs'>

/** Open loop: a call begins at its time, whatever becomes of those before. */
async function callSteadily(
  port: number,
  { minutes, callsPerSecond, say, signal }: LossOptions,
): Promise<Calls> {
  const times: number[] = []
  const failures: Record<string, number> = {}
  const began = performance.now()
  let lastAnswer = began
  let longestGapMs = 0
  let saidAt = began
  const note = (status: number, ms: number) => {
    const now = performance.now()
    if (status !== 0) {
      failures[status] = (failures[status] ?? 0) + 1
      return
    }
    longestGapMs = Math.max(longestGapMs, now - lastAnswer)
    lastAnswer = now
    times.push(ms)
  }
  using probe: Probe = openProbe(port, PATH)
  const body = grpcFrame(100)
  const count = Math.ceil(minutes * 60 * callsPerSecond)
  const underWay = new Set<Promise<void>>()
  for (let n = 0; n < count; n++) {
    await sleep(Math.max(0, began + (n * SECOND_MS) / callsPerSecond - performance.now()), null, {
      signal,
    })
    const call = probe.call(body, DEADLINE_MS).then(({ status, ms }) => note(status, ms))
    underWay.add(call)
    void call.finally(() => underWay.delete(call))
    if (performance.now() - saidAt < SAY_EVERY_MS) continue
    saidAt = performance.now()
    say(
      `${Math.round((saidAt - began) / MINUTE_MS)} min: ${times.length} answers, ${failed()} failures`,
    )
  }
  await Promise.all(underWay)
  const sorted = times.toSorted((a, b) => a - b)
  return {
    calls: count,
    failures,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    longestGapMs: Math.max(longestGapMs, performance.now() - lastAnswer),
  }

  function failed(): number {
    return Object.values(failures).reduce((sum, one) => sum + one, 0)
  }
}

async function pidsOf(engine: BenchEngine): Promise<number[]> {
  const processes = await engine.processes(VERSION)
  return processes.flatMap(({ pid }) => pid ?? []).toSorted((a, b) => a - b)
}

function residentMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + residentBytes(pid), 0) / MIB
}
