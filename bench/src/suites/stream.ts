/** Streamed answers: how soon the first message is there, and how many follow. */
import type { Bench, Suite } from '../bench.ts'
import { ECHO_PATH } from '../bench.ts'
import { streamChain } from '../engine/bundles.ts'
import { STREAM_MESSAGES } from '../floors/stream.ts'
import { grpcFrame } from '../measure/grpc-frame.ts'
import { openProbe } from '../measure/grpc-probe.ts'
import { measureInterleaved } from '../measure/interleave.ts'
import type { Subject } from '../measure/subject.ts'
import { median, quantile } from '../report/statistics.ts'
import { type Sample, summarise } from '../report/summarise.ts'

/** Streams at once; each has one message after the other. */
const SHAPE = { connections: 8, streams: 2 }
const LOAD_SECONDS = 80
/** Of one stream after the other, per case and round. */
const FIRST_STREAMS = 150
const FIRST_STREAMS_QUICK = 40
const DEADLINE_MS = 10_000

export const stream: Suite = {
  name: 'stream',
  about: `streams of ${STREAM_MESSAGES} messages through 1 and 3 nodes against a bare one`,
  minutes: 2.5,
  async run(bench) {
    const [floor] = await bench.floors()
    const bare = await bench.streamFloor()
    const subjects: Subject[] = [
      { name: 'streamFloor', target: await streamTarget(bench, bare.port), pids: bare.pids },
    ]
    for (const nodes of [1, 3]) {
      const version = streamChain(`stream${nodes}`, nodes, STREAM_MESSAGES)
      const { port, pids } = await bench.engine.start(version)
      subjects.push({ name: version.version, target: await streamTarget(bench, port), pids })
    }
    const samples = await measureInterleaved(
      bench,
      [
        ...(floor === undefined ? [] : [floor]),
        ...subjects.map((subject) => ({ ...subject, shape: SHAPE })),
      ],
      { latency: 'loaded', budgetSeconds: LOAD_SECONDS },
    )
    await measureFirst(bench, subjects, samples)
    return reportOf(samples)
  },
}

async function streamTarget(bench: Bench, port: number) {
  const target = await bench.echoTarget(port)
  return { ...target, answerBytes: target.answerBytes * STREAM_MESSAGES }
}

/** Puts the time to the first message, one stream at a time, in the place of the latency under load. */
async function measureFirst(
  bench: Bench,
  subjects: readonly Subject[],
  samples: ReadonlyMap<string, Sample[]>,
): Promise<void> {
  const body = grpcFrame(100)
  const rounds = samples.get('streamFloor')?.length ?? 0
  for (let round = 0; round < rounds; round++) {
    bench.say(`first messages, round ${round + 1} of ${rounds}`)
    for (const { name, target } of subjects) {
      using probe = openProbe(target.port, ECHO_PATH)
      const firstMs: number[] = []
      for (let i = 0; i < (bench.isQuick ? FIRST_STREAMS_QUICK : FIRST_STREAMS); i++) {
        bench.signal.throwIfAborted()
        const result = await probe.call(body, DEADLINE_MS)
        if (result.status === 0) firstMs.push(result.firstMs)
      }
      const sorted = firstMs.toSorted((a, b) => a - b)
      const sample = samples.get(name)?.[round]
      if (sample !== undefined)
        Object.assign(sample, { p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99) })
    }
  }
}

function reportOf(samples: ReadonlyMap<string, Sample[]>) {
  const medianOf = (name: string, measure: 'requestsPerSecond' | 'p50Ms') =>
    median((samples.get(name) ?? []).map((sample) => sample[measure]))
  const report = summarise('stream', samples, {
    latency:
      'the first message of a stream, one stream at a time (of `floor`: the answer, under load)',
    ratios: (cpuOf) => ({
      stream3CpuVsFloor: cpuOf('stream3') / cpuOf('streamFloor'),
      stream1RateVsFloor:
        medianOf('stream1', 'requestsPerSecond') / medianOf('streamFloor', 'requestsPerSecond'),
      stream3RateVsFloor:
        medianOf('stream3', 'requestsPerSecond') / medianOf('streamFloor', 'requestsPerSecond'),
    }),
    notes: [
      `a request of the streams is ${STREAM_MESSAGES} messages of 100 bytes, as fast as the caller takes them, ${SHAPE.connections * SHAPE.streams} streams at once`,
    ],
  })
  const figures: Record<string, number> = {
    hopFirstMessageMs: (medianOf('stream3', 'p50Ms') - medianOf('stream1', 'p50Ms')) / 2,
  }
  for (const { name, requestsPerSecond, cpuMicrosPerRequest } of report.cases) {
    if (name === 'floor') continue
    figures[`${name}.messagesPerSecond`] = requestsPerSecond * STREAM_MESSAGES
    figures[`${name}.cpuMicrosPerMessage`] = cpuMicrosPerRequest / STREAM_MESSAGES
  }
  return { ...report, figures }
}
