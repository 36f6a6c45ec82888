/** Log lines as nodes write them, as many as a version may, beside predictions of another version. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, ECHO_PATH } from '../bench.ts'
import { quantile } from '../report/statistics.ts'
import { grpcFrame } from './grpc-frame.ts'
import { openProbe, type ProbeResult } from './grpc-probe.ts'

/** Open loop: one prediction each so long, whatever becomes of the earlier ones. */
const EVERY_MS = 10
const DEADLINE_MS = 10_000

export type Predicted = { p50Ms: number; p99Ms: number; calls: number; failed: number }

/** Predictions at a steady rate, for so long. */
export async function predictFor(
  port: number,
  seconds: number,
  signal: AbortSignal,
): Promise<Predicted> {
  const body = grpcFrame(100)
  using probe = openProbe(port, ECHO_PATH)
  const calls: Promise<ProbeResult>[] = []
  const began = performance.now()
  while (performance.now() - began < seconds * 1_000) {
    signal.throwIfAborted()
    calls.push(probe.call(body, DEADLINE_MS))
    await sleep(Math.max(0, began + calls.length * EVERY_MS - performance.now()))
  }
  const results = await Promise.all(calls)
  const sorted = results
    .filter(({ status }) => status === 0)
    .map(({ ms }) => ms)
    .toSorted((a, b) => a - b)
  return {
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    calls: results.length,
    failed: results.length - sorted.length,
  }
}

/** Has the nodes of a version write lines for so long; they say nothing of it. */
export async function beginFlood(port: number): Promise<void> {
  using probe = openProbe(port, ECHO_PATH)
  const { status } = await probe.call(grpcFrame(1), DEADLINE_MS)
  if (status !== 0) throw new Error(`the nodes that write lines answered with status ${status}`)
}

/** Lines of the runtime that the store has. */
export async function storedLines(bench: Bench): Promise<number> {
  const { logLimits } = await bench.engine.graphql<{ logLimits: { usage: { lines: number } } }>(
    'query ($runtimeId: ID!) { logLimits(runtimeId: $runtimeId) { usage { lines } } }',
    {},
  )
  return logLimits.usage.lines
}
