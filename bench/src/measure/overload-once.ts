/** One burst in open loop, and calls of our own beside it and after it, whose statuses and times can be seen. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import { quantile } from '../report/statistics.ts'
import type { Sample } from '../report/summarise.ts'
import { grpcFrame } from './grpc-frame.ts'
import { openProbe, type ProbeResult } from './grpc-probe.ts'
import { h2load, type Target } from './h2load.ts'
import { cpuMicros } from './processes.ts'
import { STEADY_CALLS, steadyAfterMs } from './steady-after.ts'

export type Overload = {
  target: Target
  pids: readonly number[]
  /** Requests per second, whatever becomes of them. */
  offered: number
  seconds: number
  /** Of every call. */
  deadlineMs: number
  /** A call that takes no longer is answered as usual. */
  fastMs: number
}

/** Enough that the generator is never the one to wait. */
const OPEN = { connections: 4, streams: 10_000 }
const PROBE_EVERY_MS = 20
/** What has not settled by then is reported as such. */
const SETTLE_MS_MAX = 5_000

/** @returns every call of our own, and `endMs`, the time of `performance.now()` at which the last request began. */
export async function overloadOnce(
  bench: Bench,
  path: string,
  { target, pids, offered, seconds, deadlineMs, fastMs }: Overload,
): Promise<{ sample: Sample; probed: ProbeResult[]; endMs: number }> {
  const body = grpcFrame(100)
  const probed: ProbeResult[] = []
  using probe = openProbe(target.port, path)
  const { signal } = bench
  const before = cpuMicros(pids)
  const requests = Math.ceil((offered * seconds) / OPEN.connections) * OPEN.connections
  const load = h2load({
    target,
    shape: OPEN,
    requests,
    perSecond: offered,
    logFile: join(bench.dir, 'overload.log'),
    signal,
  })
  let isOver = false
  const over = load.finally(() => (isOver = true))
  const calls: Promise<unknown>[] = []
  while (!isOver) {
    calls.push(probe.call(body, deadlineMs).then((result) => probed.push(result)))
    await Promise.race([over, sleep(PROBE_EVERY_MS)])
  }
  const [result] = await Promise.all([load, ...calls])
  const cpu = cpuMicros(pids) - before
  const endMs = result.lastBeganMs
  const answered = probed.filter(({ status }) => status === 0).map(({ ms }) => ms)
  const sorted = answered.toSorted((a, b) => a - b)
  const inOrder = () => probed.toSorted((a, b) => a.beganMs - b.beganMs)
  for (
    const last = performance.now() + SETTLE_MS_MAX;
    performance.now() < last && steadyAfterMs(inOrder(), endMs, fastMs) === null;
  ) {
    signal.throwIfAborted()
    for (let i = 0; i < STEADY_CALLS; i++) probed.push(await probe.call(body, deadlineMs))
  }
  const sample: Sample = {
    requestsPerSecond: result.answered / result.seconds,
    cpuMicrosPerRequest: cpu / Math.max(1, result.answered),
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    // Refusals are what is wanted here.
    failed: 0,
  }
  return { sample, probed: inOrder(), endMs }
}
