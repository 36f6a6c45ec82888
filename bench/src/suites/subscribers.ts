/** A thousand who follow a version's log at once, some of whom take nothing: nobody misses a line, and memory stays. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, ECHO_PATH, type Suite } from '../bench.ts'
import { speakingNode } from '../engine/bundles.ts'
import { grpcFrame } from '../measure/grpc-frame.ts'
import { openProbe, type Probe } from '../measure/grpc-probe.ts'
import { watchMemory } from '../measure/memory-watch.ts'
import { cpuMicros } from '../measure/processes.ts'
import { subscribeByEvents, subscribeBySocket, type Subscriber } from '../measure/subscriber.ts'
import { quantile } from '../report/statistics.ts'
import { type Sample, summarise } from '../report/summarise.ts'

/** What one login or token may hold open. */
const STREAMS_OF_TOKEN = 16
/** Tokens whose subscriptions share a socket; those of the others are server-sent events. */
const SIZES = { tokens: 63, sockets: 20, stalledTokens: 3, lines: 40 }
const SIZES_QUICK = { tokens: 12, sockets: 4, stalledTokens: 1, lines: 12 }
/** So many lines of 200 KB, and what the system buffers for a connection that takes nothing is full. */
const LINES_TO_STALL = 60
const LINE_EVERY_MS = 250
/** Of a line: with it a stalled subscriber's event is some 200 KB, so that what the system buffers for it is soon full. */
const LINE_CHARS = 14_000
const BEGIN_MS = 3_000
const DEADLINE_MS = 10_000
const ARRIVAL_MS_MAX = 30_000
/** The engine's own time for those who take nothing, and a little more. */
const CUT_MS = 35_000

export const subscribers: Suite = {
  name: 'subscribers',
  about: '1,000 who follow a log, 48 of whom take nothing: events missed, delay, memory',
  minutes: 3,
  async run(bench) {
    const { engine, say, isQuick } = bench
    const sizes = isQuick ? SIZES_QUICK : SIZES
    const { port, pids } = await engine.start(speakingNode('speaking', LINE_CHARS))
    using probe = openProbe(port, ECHO_PATH)
    const tokens = await makeTokens(bench, sizes.tokens)
    const named = { engine: pids[0] ?? 0 }
    const found = { samples: new Map<string, Sample[]>(), figures: {} as Record<string, number> }

    say(`opening ${sizes.tokens * STREAMS_OF_TOKEN} subscriptions`)
    const reading = await openAll(bench, tokens.slice(sizes.stalledTokens), sizes.sockets)
    const willStall = await openAll(bench, tokens.slice(0, sizes.stalledTokens), 0)
    const all = [...reading, ...willStall]
    say(`${all.length} subscribers, all of whom read`)
    // There is no word for the begin of a subscription.
    await sleep(BEGIN_MS, undefined, { signal: bench.signal })
    const alone = await speak(bench, probe, all, sizes.lines, pids)
    found.samples.set('allRead', [alone.sample])

    for (const one of willStall) one.close()
    const stalled = await openLarge(bench, tokens.slice(0, sizes.stalledTokens))
    say(`${stalled.length} of them take nothing any more`)
    for (const one of stalled) one.stall()
    await speak(bench, probe, reading, LINES_TO_STALL, pids)
    using memory = watchMemory(named)
    const before = memory.peaks()['engine'] ?? 0
    const beside = await speak(bench, probe, reading, sizes.lines, pids)
    found.samples.set('someStalled', [beside.sample])
    const stalledGrowthMiB = (memory.peaks()['engine'] ?? 0) - before
    const cut = await untilCut(bench, stalled)
    for (const one of [...reading, ...stalled]) one.close()
    const report = summarise('subscribers', found.samples, {
      latency: 'from the request that has a line written to its arrival at each subscriber',
      figures: {
        subscribers: all.length,
        stalled: stalled.length,
        stalledCut: cut,
        eventsMissed: alone.missed + beside.missed,
        stalledGrowthMiB,
        engineMiB: memory.peaks()['engine'] ?? 0,
      },
      notes: [
        `${all.length} subscriptions of ${sizes.tokens} tokens to one log, those of ${sizes.sockets} over WebSockets, the others by server-sent events; requests/s are events delivered, CPU is that of all processes per event delivered`,
        `a line of ${LINE_CHARS} characters each ${LINE_EVERY_MS} ms, of which the stalled ask for 14 copies`,
      ],
    })
    return {
      ...report,
      ratios: { delayBesideStalledVsAlone: beside.sample.p50Ms / alone.sample.p50Ms },
    }
  },
}

async function makeTokens({ engine }: Bench, count: number): Promise<string[]> {
  const tokens: string[] = []
  for (let n = 0; n < count; n++) {
    const { generateApiToken } = await engine.graphql<{ generateApiToken: string }>(
      `mutation ($name: String!) { generateApiToken(input: { name: $name, scope: READ, expiresInDays: 1 }) }`,
      { name: `subscriber ${n}` },
    )
    tokens.push(generateApiToken)
  }
  return tokens
}

const watchedBy = ({ engine }: Bench) => ({ runtimeId: engine.runtimeId, version: 'speaking' })

/** All that the tokens may hold. @param sockets so many of the tokens use one socket each. */
async function openAll(bench: Bench, tokens: readonly string[], sockets: number) {
  const opened: Subscriber[] = []
  for (const [index, token] of tokens.entries()) {
    const access = { adminUrl: bench.engine.adminUrl, token }
    const many =
      index < sockets
        ? subscribeBySocket(access, watchedBy(bench), STREAMS_OF_TOKEN)
        : Promise.all(
            Array.from({ length: STREAMS_OF_TOKEN }, () =>
              subscribeByEvents(access, watchedBy(bench)),
            ),
          )
    opened.push(...(await many))
  }
  return opened
}

async function openLarge(bench: Bench, tokens: readonly string[]): Promise<Subscriber[]> {
  const opened: Subscriber[] = []
  for (const token of tokens)
    for (let n = 0; n < STREAMS_OF_TOKEN; n++)
      opened.push(await openAgain(bench, { adminUrl: bench.engine.adminUrl, token }))
  return opened
}

/** The places of those that were closed just now are free a moment later. */
async function openAgain(
  bench: Bench,
  access: { adminUrl: string; token: string },
): Promise<Subscriber> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await subscribeByEvents(access, watchedBy(bench), true)
    } catch (error) {
      if (attempt >= 50) throw error
      await sleep(100, undefined, { signal: bench.signal })
    }
  }
}

/** Has lines written, and waits until they are everywhere. */
async function speak(
  bench: Bench,
  probe: Probe,
  listening: readonly Subscriber[],
  lines: number,
  pids: readonly number[],
): Promise<{ sample: Sample; missed: number }> {
  const firsts = listening.map(({ seen }) => seen.length)
  const cpuBefore = cpuMicros(pids)
  const began = performance.now()
  const askedAt: number[] = []
  for (let n = 0; n < lines; n++) {
    askedAt.push(performance.now())
    await probe.call(grpcFrame(1), DEADLINE_MS)
    await sleep(Math.max(0, began + (n + 1) * LINE_EVERY_MS - performance.now()))
  }
  const isThere = (subscriber: Subscriber, i: number) =>
    subscriber.seen.length - (firsts[i] ?? 0) >= lines
  const late = performance.now() + ARRIVAL_MS_MAX
  while (!listening.every(isThere) && performance.now() < late)
    await sleep(100, undefined, { signal: bench.signal })
  const seconds = (performance.now() - began) / 1_000
  const delays: number[] = []
  let missed = 0
  for (const [i, { atMs }] of listening.entries()) {
    const own = atMs.slice(firsts[i])
    missed += Math.max(0, lines - own.length)
    for (const [n, at] of own.slice(0, lines).entries()) delays.push(at - (askedAt[n] ?? at))
  }
  const sorted = delays.toSorted((a, b) => a - b)
  const cpuMicrosPerRequest = (cpuMicros(pids) - cpuBefore) / Math.max(1, delays.length)
  return {
    missed,
    sample: {
      requestsPerSecond: delays.length / seconds,
      cpuMicrosPerRequest,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      failed: missed,
    },
  }
}

/** How many of them the engine has cut by itself: they see it when they take what is there. */
async function untilCut({ signal, say }: Bench, stalled: readonly Subscriber[]): Promise<number> {
  say('waiting until those who take nothing are cut')
  await sleep(CUT_MS, undefined, { signal })
  for (const one of stalled) one.goOn()
  const late = performance.now() + ARRIVAL_MS_MAX
  const cut = () => stalled.filter(({ isEnded }) => isEnded).length
  while (cut() < stalled.length && performance.now() < late) await sleep(500, undefined, { signal })
  return cut()
}
