/** The control plane with much in it: lists through the API, log lines on their way into the store, predictions beside them. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSqliteStore, type Store } from '@kre/store'
import type { Bench, Suite } from '../bench.ts'
import type { Started } from '../engine/bench-engine.ts'
import { chain, floodBundle } from '../engine/bundles.ts'
import { fillStore, type Fill } from '../engine/fill-store.ts'
import { listQueries, type ListQuery } from '../measure/list-queries.ts'
import { computeBeside } from '../measure/compute-beside.ts'
import { beginFlood, predictFor, type Predicted, storedLines } from '../measure/log-flood.ts'
import { cpuMicros } from '../measure/processes.ts'
import { untilSettled } from '../measure/until-settled.ts'
import type { BenchReport } from '../report/bench-report.ts'
import { median, quantile } from '../report/statistics.ts'
import { alignRows, type Sample, sampleRows, summarise } from '../report/summarise.ts'

/** A runtime may have a thousand: the last is the one that floods. */
const FILL: Fill = { versions: 999, runtimes: 99, logLines: 100_000 }
const FILL_QUICK: Fill = { versions: 99, runtimes: 9, logLines: 20_000 }
const ROUNDS = 5
const ROUNDS_QUICK = 2
/** Of each list in a round; all of them together stay below what a caller may ask in a burst. */
const ASKED = 12
/** A list that takes long is asked for fewer times in a round: no more are begun after so long, but for the second. */
const LIST_MS_MAX = 3_000
/** What a store may look for before it gives up, too. */
const GIVEN_UP_MS = 60_000
/** A burst is used up by then; a second gives a hundred back. */
const PAUSE_MS = 1_500
/** What an engine may need to take over the runtimes that came behind its back. */
const SETTLED_MS = 120_000
const FLOOD_SECONDS = 10
const FLOOD_SECONDS_QUICK = 3
/** Nodes write at most 1,000 lines a second each. */
const FLOOD_NODES = 12
const FLOOD_LINES_PER_SECOND = 950
/** As much of a processor as the engine takes for so many lines. */
const NEIGHBOUR_SHARE = 0.2
/** After the first lines of a flood, until it is steady. */
const STEADY_MS = 1_000

export const control: Suite = {
  name: 'control',
  about:
    'lists with 1,000 versions and 200,000 log lines; log lines per second, beside predictions',
  minutes: 4,
  run: measureControl,
}

export const controlMongo: Suite = {
  name: 'control-mongo',
  about: 'the same, of an engine that keeps its data in MongoDB (--mongo URI), or in FerretDB',
  minutes: 15,
  store: 'mongodb',
  run: measureControl,
}

async function measureControl(bench: Bench): Promise<BenchReport> {
  const { say, engine, isQuick, suite } = bench
  const predicting = await bench.engine.start(chain('predicting', 1, 'typescript'))
  const seconds = isQuick ? FLOOD_SECONDS_QUICK : FLOOD_SECONDS
  // Longer than it is looked at: it ends by itself. Before the store is full, as runtimes reserve room of NATS.
  const flood = floodBundle('flood', FLOOD_NODES, FLOOD_LINES_PER_SECOND, seconds + 3)
  const flooding = await bench.engine.start(flood)
  const rounds = bench.rounds ?? (isQuick ? ROUNDS_QUICK : ROUNDS)
  const fill = isQuick ? FILL_QUICK : FILL
  say(
    `filling the store: ${fill.versions} versions, ${fill.logLines} lines of one, as many of all others`,
  )
  {
    await using store = await openBeside(bench)
    await fillStore(store, { runtimeId: engine.runtimeId, version: 'predicting' }, fill)
    await untilTakenOver(store, bench.signal)
  }
  const [enginePid = 0] = predicting.pids
  const isSettled = await untilSettled(enginePid, SETTLED_MS, bench.signal)
  const lists = await measureLists(bench, listQueries('predicting'), rounds, enginePid)
  const ingest = await measureIngest(bench, predicting, flooding, rounds, seconds)
  const samples = new Map([...lists.samples, ...ingest.samples])
  for (const line of alignRows(sampleRows(samples, 'loaded'))) say(line)
  const report = summarise(suite, samples, {
    latency: 'of the requests that are counted',
    figures: { ...lists.figures, ...ingest.figures },
    notes: [
      ...(bench.mongo === null ? [] : [`the engine keeps its data in ${bench.mongo.what}`]),
      `${fill.versions} versions in one runtime, ${fill.runtimes + 1} runtimes, ${fill.logLines} log lines of one version and as many of all others together`,
      `lists: by HTTP, one after the other, ${rounds} x ${ASKED} of each, fewer of those that take over ${LIST_MS_MAX / ASKED} ms; CPU is the engine's`,
      ...(isSettled ? [] : ['the engine was still busy with the new runtimes when lists began']),
      `log lines: ${FLOOD_NODES} nodes in one process write ${FLOOD_LINES_PER_SECOND} each a second for ${seconds} s; they share the processors with the predictions, 100 a second, of another version`,
      `beside computing: a process that knows nothing of KRE computes ${NEIGHBOUR_SHARE * 100} % of the time, as the engine does for so many lines`,
    ],
  })
  return { ...report, ratios: ingest.ratios }
}

/** The store of the engine, for filling it while the engine runs. */
async function openBeside({ engine, mongo, dir }: Bench): Promise<Store> {
  if (mongo === null) return openSqliteStore({ dataDir: engine.dataDir, isAlone: false })
  const { openMongoStore } = await import('@kre/store/mongo')
  return openMongoStore({
    uri: mongo.uri,
    databasePrefix: mongo.prefix,
    cacheDir: join(dir, 'filling'),
    isAlone: false,
  })
}

/** Until the engine has looked at each runtime: it finds those that came behind its back by and by. */
async function untilTakenOver(store: Store, signal: AbortSignal): Promise<void> {
  const end = performance.now() + SETTLED_MS
  for (;;) {
    const runtimes = await store.runtimes.list()
    const seen = await Promise.all(runtimes.map(({ id }) => store.placements.get(id)))
    if (!seen.includes(null)) return
    if (performance.now() > end) throw new Error('the engine has not taken over all runtimes')
    await sleep(STEADY_MS, undefined, { signal })
  }
}

type Found = { samples: Map<string, Sample[]>; figures: Record<string, number> }

async function measureLists(
  bench: Bench,
  queries: readonly ListQuery[],
  rounds: number,
  enginePid: number,
): Promise<Found> {
  const all = new Map<string, number[]>(queries.map(({ name }) => [name, []]))
  const samples = new Map<string, Sample[]>(queries.map(({ name }) => [name, []]))
  const answered: ListQuery[] = []
  for (const query of queries) {
    const { ms, isAnswered } = await ask(bench, query)
    if (isAnswered) answered.push(query)
    else {
      all.get(query.name)?.push(ms)
      samples.get(query.name)?.push(givenUp(ms))
    }
  }
  if (answered.length < queries.length)
    await sleep(GIVEN_UP_MS, undefined, { signal: bench.signal })
  for (let round = 1; round <= rounds; round++) {
    bench.say(`lists, round ${round} of ${rounds}`)
    for (const query of answered) {
      const { times, sample } = await askMany(bench, query, enginePid)
      all.get(query.name)?.push(...times)
      samples.get(query.name)?.push(sample)
    }
    await sleep(PAUSE_MS, undefined, { signal: bench.signal })
  }
  const p95Of = (times: readonly number[]) =>
    quantile(
      times.toSorted((a, b) => a - b),
      0.95,
    )
  const figures = Object.fromEntries([...all].map(([name, ms]) => [`${name}.p95Ms`, p95Of(ms)]))
  return { samples, figures: { ...figures, slowestListP95Ms: Math.max(...Object.values(figures)) } }
}

/** A list that the engine does not answer is asked for once: the store goes on looking, and others would wait for it. */
function givenUp(ms: number): Sample {
  return { requestsPerSecond: 0, cpuMicrosPerRequest: 0, p50Ms: ms, p99Ms: ms, failed: 1 }
}

/** One round of one list. */
async function askMany(
  bench: Bench,
  query: ListQuery,
  enginePid: number,
): Promise<{ times: number[]; sample: Sample }> {
  const before = cpuMicros([enginePid])
  const times: number[] = []
  let failed = 0
  let elapsed = 0
  while (times.length < ASKED && (times.length < 2 || elapsed < LIST_MS_MAX)) {
    const { ms, isAnswered } = await ask(bench, query)
    times.push(ms)
    elapsed += ms
    if (!isAnswered) failed += 1
  }
  const sorted = times.toSorted((a, b) => a - b)
  return {
    times,
    sample: {
      requestsPerSecond: (times.length * 1_000) / elapsed,
      cpuMicrosPerRequest: (cpuMicros([enginePid]) - before) / times.length,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      failed,
    },
  }
}

/** One that the engine gives up has taken at least as long as it took to say so. */
async function ask(
  { engine, signal, say }: Bench,
  { name, document, variables }: ListQuery,
): Promise<{ ms: number; isAnswered: boolean }> {
  const began = performance.now()
  const isAnswered = await engine.graphql(document, variables).then(
    () => true,
    (error: unknown) => {
      signal.throwIfAborted()
      say(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      return false
    },
  )
  return { ms: performance.now() - began, isAnswered }
}
async function measureIngest(
  bench: Bench,
  predicting: Started,
  flooding: Started,
  rounds: number,
  seconds: number,
): Promise<Found & { ratios: Record<string, number> }> {
  const samples = new Map<string, Sample[]>([
    ['predictions', []],
    ['predictionsUnderIngest', []],
    ['predictionsBesideComputing', []],
  ])
  const linesPerSecond: number[] = []
  const worse: number[] = []
  const worseBesideComputing: number[] = []
  const busy = workersOf(predicting, flooding)
  const shares = new Map<string, number[]>(busy.map(([name]) => [name, []]))
  await predictFor(predicting.port, 2, bench.signal)
  for (let round = 1; round <= rounds; round++) {
    bench.say(`log lines, round ${round} of ${rounds}`)
    const alone = await predictFor(predicting.port, seconds, bench.signal)
    await beginFlood(flooding.port)
    await sleep(STEADY_MS, undefined, { signal: bench.signal })
    const before = await storedLines(bench)
    const began = performance.now()
    const cpuBefore = busy.map(([, pids]) => cpuMicros(pids))
    const beside = await predictFor(predicting.port, seconds, bench.signal)
    const elapsedMs = performance.now() - began
    for (const [index, [name, pids]] of busy.entries())
      shares.get(name)?.push((cpuMicros(pids) - (cpuBefore[index] ?? 0)) / 1_000 / elapsedMs)
    linesPerSecond.push(((await storedLines(bench)) - before) / (elapsedMs / 1_000))
    worse.push(beside.p99Ms / alone.p99Ms)
    samples.get('predictions')?.push(sampleOf(alone, seconds))
    samples.get('predictionsUnderIngest')?.push(sampleOf(beside, seconds))
    await untilQuiet(bench)
    using _neighbour = computeBeside(NEIGHBOUR_SHARE, 2 * seconds)
    const computing = await predictFor(predicting.port, seconds, bench.signal)
    worseBesideComputing.push(computing.p99Ms / alone.p99Ms)
    samples.get('predictionsBesideComputing')?.push(sampleOf(computing, seconds))
  }
  return {
    samples,
    figures: {
      ingestLinesPerSecond: median(linesPerSecond),
      ...Object.fromEntries([...shares].map(([name, all]) => [`${name}.processors`, median(all)])),
    },
    ratios: {
      predictionsP99UnderIngest: median(worse),
      predictionsP99BesideComputing: median(worseBesideComputing),
    },
  }
}

/** Who has work while lines come: the processes of each. */
function workersOf(predicting: Started, flooding: Started): [name: string, pids: number[]][] {
  const shared = predicting.pids.filter((pid) => flooding.pids.includes(pid))
  const own = ({ pids }: Started) => pids.filter((pid) => !shared.includes(pid))
  return [
    ['engineUnderIngest', shared.slice(0, 1)],
    ['natsUnderIngest', shared.slice(1)],
    ['writingNodes', own(flooding)],
    ['predictingUnderIngest', own(predicting)],
  ]
}

/** The processor time of a prediction is not told apart from that of the lines: it is left out. */
function sampleOf({ p50Ms, p99Ms, calls, failed }: Predicted, seconds: number): Sample {
  return { requestsPerSecond: calls / seconds, cpuMicrosPerRequest: 0, p50Ms, p99Ms, failed }
}

/** Until no more lines come. */
async function untilQuiet(bench: Bench): Promise<void> {
  for (let last = -1, now = await storedLines(bench); now !== last;) {
    await sleep(STEADY_MS, undefined, { signal: bench.signal })
    last = now
    now = await storedLines(bench)
  }
}
