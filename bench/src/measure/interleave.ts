/** All subjects in every round, one after the other, so that the noise of the computer hits all alike. */
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { alignRows, type Sample, sampleRows } from '../report/summarise.ts'
import { h2load, type Shape } from './h2load.ts'
import { cpuMicros } from './processes.ts'
import type { Subject } from './subject.ts'

/** 64 in flight. */
export const LOADED: Shape = { connections: 8, streams: 8 }
const ALONE: Shape = { connections: 1, streams: 1 }

/** Code that has run so often is compiled as well as it ever will be. */
const WARM_UP_REQUESTS = 20_000
const WARM_UP_SECONDS_MAX = 8
/** To learn how fast a subject is. */
const PROBE_REQUESTS = 200
const REQUESTS_MIN = 50

/** Throughput and processor time under load, latency one by one. Says the table. */
export async function measureInterleaved(
  bench: Bench,
  subjects: readonly Subject[],
): Promise<Map<string, Sample[]>> {
  const { rounds, seconds, say } = bench
  const measure = async ({ target, pids }: Subject, shape: Shape, requests: number) => {
    const before = cpuMicros(pids)
    const logFile = join(bench.dir, 'h2load.log')
    const count = Math.max(REQUESTS_MIN, Math.ceil(requests))
    const { signal } = bench
    const result = await h2load({ target, shape, requests: count, logFile, signal })
    return { ...result, cpu: cpuMicros(pids) - before }
  }
  const speeds = new Map<Subject, { loaded: number; alone: number }>()
  for (const subject of subjects) {
    say(`warming up ${subject.name}`)
    const shape = subject.shape ?? LOADED
    const first = await measure(subject, shape, PROBE_REQUESTS)
    const expected = (first.requests / first.seconds) * WARM_UP_SECONDS_MAX
    const warm = await measure(subject, shape, Math.min(WARM_UP_REQUESTS, expected))
    const alone = await measure(subject, ALONE, REQUESTS_MIN)
    speeds.set(subject, {
      loaded: warm.requests / warm.seconds,
      alone: alone.requests / alone.seconds,
    })
  }
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]))
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}`)
    for (const subject of subjects) {
      const speed = speeds.get(subject) ?? { loaded: 0, alone: 0 }
      const loaded = await measure(subject, subject.shape ?? LOADED, speed.loaded * seconds)
      const alone = await measure(subject, ALONE, speed.alone * seconds)
      samples.get(subject.name)?.push({
        requestsPerSecond: loaded.answered / loaded.seconds,
        cpuMicrosPerRequest: loaded.cpu / Math.max(1, loaded.answered),
        p50Ms: alone.p50Ms,
        p99Ms: alone.p99Ms,
        failed: loaded.requests - loaded.answered + alone.requests - alone.answered,
      })
    }
  }
  say(`\nmedian (min-max) of ${rounds} rounds\n`)
  for (const line of alignRows(sampleRows(samples))) say(line)
  return samples
}
