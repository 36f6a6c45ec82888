/** Chains of echo nodes against the floor: all cases in every round, one after the other, so that noise hits all alike. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startBenchEngine } from './bench-engine.ts'
import type { Chain } from './chain-bundle.ts'
import { cpuMicros } from './cpu-clock.ts'
import { load, type LoadResult } from './load.ts'
import { median, spread } from './statistics.ts'

export type BenchCase = {
  name: string
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  cpuMicrosPerRequest: number
}
export type BenchReport = {
  suite: 'chains'
  rounds: number
  cases: BenchCase[]
  ratios: Record<string, number>
  failed: number
}

const CHAINS: Chain[] = [
  { version: 'chain1', nodes: 1, language: 'typescript' },
  { version: 'chain3', nodes: 3, language: 'typescript' },
  { version: 'chain5', nodes: 5, language: 'typescript' },
  { version: 'python1', nodes: 1, language: 'python' },
]
const PAYLOAD_BYTES = 100
const PATH = '/bench.Entrypoint/Echo'
/** 64 in flight. */
const LOADED = { connections: 8, streams: 8 }
const ALONE = { connections: 1, streams: 1 }

type Subject = { name: string; port: number; pids: number[]; perSecondExpected: number }
type Sample = { loaded: LoadResult & { cpu: number }; alone: LoadResult }

export async function runChains(options: {
  quick: boolean
  say: (line: string) => void
}): Promise<BenchReport> {
  const [rounds, seconds] = options.quick ? [2, 1] : [5, 4]
  await using engine = await startBenchEngine(options.say)
  const bodyFile = join(engine.dir, 'body.bin')
  await writeFile(bodyFile, grpcFrame(PAYLOAD_BYTES))
  const floor = fork(join(import.meta.dirname, 'floor.ts'), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const [line] = (await once(floor.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  try {
    const subjects: Subject[] = [
      {
        name: 'floor',
        port: Number(line.toString()),
        pids: [floor.pid ?? 0],
        perSecondExpected: 15_000,
      },
    ]
    for (const chain of CHAINS) {
      const perSecondExpected = chain.language === 'python' ? 1_500 : 15_000 / (chain.nodes + 1)
      subjects.push({ name: chain.version, ...(await engine.start(chain)), perSecondExpected })
    }
    const measure = async (subject: Subject, shape: typeof LOADED, requests: number) => {
      const before = cpuMicros(subject.pids)
      const result = await load({
        ...shape,
        port: subject.port,
        path: PATH,
        bodyFile,
        requests: Math.ceil(requests),
        logFile: join(engine.dir, 'h2load.log'),
      })
      return { ...result, cpu: cpuMicros(subject.pids) - before }
    }
    options.say('warming up')
    for (const subject of subjects) await measure(subject, LOADED, subject.perSecondExpected * 1.5)
    const samples = new Map<string, Sample[]>(subjects.map((subject) => [subject.name, []]))
    for (let round = 1; round <= rounds; round++) {
      options.say(`round ${round} of ${rounds}`)
      for (const subject of subjects) {
        const loaded = await measure(subject, LOADED, subject.perSecondExpected * seconds)
        const alone = await measure(subject, ALONE, 500 * seconds)
        samples.get(subject.name)?.push({ loaded, alone })
      }
    }
    return report(samples, rounds, options.say)
  } finally {
    floor.disconnect()
  }
}

function report(
  samples: Map<string, Sample[]>,
  rounds: number,
  say: (line: string) => void,
): BenchReport {
  const rows = [
    ['case', 'requests/s at 64', 'CPU us/request at 64', 'p50 ms at 1', 'p99 ms at 1', 'failed'],
  ]
  const cases: BenchCase[] = []
  let failed = 0
  for (const [name, all] of samples) {
    const perSecond = all.map(({ loaded }) => loaded.requests / loaded.seconds)
    const cpu = all.map(({ loaded }) => loaded.cpu / Math.max(1, loaded.requests))
    const p50 = all.map(({ alone }) => alone.p50Ms)
    const p99 = all.map(({ alone }) => alone.p99Ms)
    const lost = all.reduce((sum, { loaded, alone }) => sum + loaded.failed + alone.failed, 0)
    failed += lost
    rows.push([name, spread(perSecond), spread(cpu), spread(p50), spread(p99), String(lost)])
    cases.push({
      name,
      requestsPerSecond: median(perSecond),
      p50Ms: median(p50),
      p99Ms: median(p99),
      cpuMicrosPerRequest: median(cpu),
    })
  }
  say(
    `\nmedian (min-max) of ${rounds} rounds, ${PAYLOAD_BYTES} bytes, 64 in flight = 8 connections x 8 streams\n`,
  )
  const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0))) ?? []
  for (const row of rows)
    say(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  const cpuOf = (name: string) =>
    cases.find((entry) => entry.name === name)?.cpuMicrosPerRequest ?? Number.NaN
  const ratios = Object.fromEntries(
    CHAINS.map(({ version }) => [`${version}CpuVsFloor`, cpuOf(version) / cpuOf('floor')]),
  )
  say(
    `\n${Object.entries(ratios)
      .map(([name, ratio]) => `${name} ${ratio.toFixed(2)}`)
      .join('   ')}`,
  )
  return { suite: 'chains', rounds, cases, ratios, failed }
}

/** A gRPC message frame around a protobuf message whose field 1 holds `bytes` bytes. */
function grpcFrame(bytes: number): Buffer {
  const message = Buffer.concat([Buffer.from([0x0a, bytes]), Buffer.alloc(bytes, 'x')])
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(message.length, 1)
  return Buffer.concat([frame, message])
}
