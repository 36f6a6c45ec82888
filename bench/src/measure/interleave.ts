/** All subjects in every round, one after the other, so that the noise of the computer hits all alike. */
import { join } from 'node:path'
import type { Bench } from '../bench.ts'
import { profileSubject } from '../profile/profile-subject.ts'
import { alignRows, type Sample, sampleRows } from '../report/summarise.ts'
import { h2load, LOADED, type LoadResult, type Shape } from './h2load.ts'
import { pin } from './pin.ts'
import { planRounds, type RoundPlan } from './plan-rounds.ts'
import { cpuMicros } from './processes.ts'
import type { Subject } from './subject.ts'

const ALONE: Shape = { connections: 1, streams: 1 }

/** Code that has run so often is compiled as well as it ever will be. */
const WARM_UP_REQUESTS = 20_000

type Loaded = LoadResult & { cpu: number }
type Speed = { loaded: number; alone: number }
export type InterleaveOptions = {
  /** Where p50 and p99 are taken: `alone` with one request at a time (the default), or under the load itself. */
  latency?: 'alone' | 'loaded'
  /** Of the whole measurement. */
  budgetSeconds?: number
}

/** Throughput and processor time under load, and latency. Says the table. */
export async function measureInterleaved(
  bench: Bench,
  subjects: readonly Subject[],
  options: InterleaveOptions = {},
): Promise<Map<string, Sample[]>> {
  const { say } = bench
  const { latency = 'alone', budgetSeconds } = options
  const hasAlone = latency === 'alone'
  const plan = planRounds(subjects.length, {
    isQuick: bench.isQuick,
    rounds: bench.rounds,
    hasAlone,
    ...(budgetSeconds === undefined ? {} : { budgetSeconds }),
  })
  const { rounds } = plan
  const speeds = new Map<Subject, Speed>()
  for (const subject of subjects) {
    say(`warming up ${subject.name}`)
    speeds.set(subject, await warmUp(bench, subject, plan))
  }
  const samples = new Map<string, Sample[]>(subjects.map(({ name }) => [name, []]))
  const began = performance.now()
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}${timeLeft(began, round - 1, rounds)}`)
    for (const subject of subjects) {
      const speed = speeds.get(subject) ?? { loaded: 0, alone: 0 }
      const shape = subject.shape ?? LOADED
      await measure(bench, subject, shape, speed.loaded * plan.runInSeconds)
      const loaded = await measure(bench, subject, shape, speed.loaded * plan.loadSeconds)
      const alone = hasAlone
        ? await measure(bench, subject, ALONE, speed.alone * plan.aloneSeconds)
        : null
      samples.get(subject.name)?.push(sampleOf(loaded, alone))
    }
  }
  say(`\nmedian (min-max) of ${rounds} rounds\n`)
  for (const line of alignRows(sampleRows(samples, hasAlone ? 'alone' : 'loaded'))) say(line)
  // Last: what has been profiled once is slower than it was.
  await profileSubject(bench, subjects)
  return samples
}

/** Longer and longer loads until the time is up, as what is compiled is faster than what is not. */
async function warmUp(bench: Bench, subject: Subject, plan: RoundPlan): Promise<Speed> {
  const shape = subject.shape ?? LOADED
  const end = performance.now() + plan.warmUpSeconds * 1_000
  let count = leastOf(shape)
  let sent = 0
  let loaded = 0
  while (count >= leastOf(shape) && sent < WARM_UP_REQUESTS) {
    const { requests, seconds } = await measure(bench, subject, shape, count)
    sent += requests
    loaded = requests / seconds
    count = Math.min(count * 4, (loaded * (end - performance.now())) / 1_000)
  }
  if (plan.aloneSeconds === 0) return { loaded, alone: 0 }
  const alone = await measure(bench, subject, ALONE, leastOf(ALONE))
  return { loaded, alone: alone.requests / alone.seconds }
}

/** Fewer requests would be mostly the begin and the end of a load. */
const leastOf = ({ connections, streams }: Shape) => Math.max(10, connections * streams * 2)

/** One load on one subject, and the processor time of its processes over it. */
async function measure(
  bench: Bench,
  { target, pids, cores }: Subject,
  shape: Shape,
  requests: number,
): Promise<Loaded> {
  if (cores !== undefined) await pin(pids, cores.own)
  const before = cpuMicros(pids)
  const result = await h2load({
    target,
    shape,
    requests: Math.max(leastOf(shape), Math.ceil(requests)),
    logFile: join(bench.dir, 'h2load.log'),
    signal: bench.signal,
    ...(cores === undefined ? {} : { cores: cores.generator }),
  })
  return { ...result, cpu: cpuMicros(pids) - before }
}

function sampleOf(loaded: Loaded, alone: Loaded | null): Sample {
  const { p50Ms, p99Ms } = alone ?? loaded
  return {
    requestsPerSecond: loaded.answered / loaded.seconds,
    cpuMicrosPerRequest: loaded.cpu / Math.max(1, loaded.answered),
    p50Ms,
    p99Ms,
    failed:
      loaded.requests - loaded.answered + (alone === null ? 0 : alone.requests - alone.answered),
  }
}

/** Nothing before a first part is done. @param done of `all` parts that take equally long. */
export function timeLeft(began: number, done: number, all: number): string {
  if (done === 0) return ''
  const seconds = ((performance.now() - began) / done / 1000) * (all - done)
  return `, about ${seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`} left`
}
