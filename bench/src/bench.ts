/** What every suite has at hand. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchEngine, type BenchVersion, startBenchEngine } from './engine/bench-engine.ts'
import { type BenchMongo, startBenchMongo } from './engine/bench-mongo.ts'
import { startEchoFloor, startNatsFloor, startStreamFloor } from './floors/start-floors.ts'
import { grpcFrame } from './measure/grpc-frame.ts'
import type { Target } from './measure/h2load.ts'
import type { Subject } from './measure/subject.ts'
import type { ProfileWish } from './profile/profile-wish.ts'
import type { BenchReport } from './report/bench-report.ts'

export const ECHO_PATH = '/bench.Entrypoint/Echo'
/** A small request: a row of features, a short text. */
const SMALL_BYTES = 100

export type Bench = AsyncDisposable & {
  /** The name of what is run. */
  readonly suite: string
  readonly isQuick: boolean
  /** As asked for; null = as many as are usual. */
  readonly rounds: number | null
  readonly profile: ProfileWish | null
  readonly signal: AbortSignal
  /** For files of the run; goes with it. */
  readonly dir: string
  readonly engine: BenchEngine
  /** Where the engine keeps its data; null = in its folder. */
  readonly mongo: BenchMongo | null
  readonly say: (line: string) => void
  /** Posts so many bytes of payload, and wants them back. */
  echoTarget(port: number, payloadBytes?: number): Promise<Target>
  /** The bare echo (`floor`) and a raw NATS chain of three plain processes (`natsFloor`), started once. */
  floors(payloadBytes?: number): Promise<Subject[]>
  /** What streams messages without a graph, started once. */
  streamFloor(): Promise<{ port: number; pids: readonly number[] }>
  /** A raw NATS chain of another length. */
  natsFloor(nodes: number): Promise<Subject>
  /** Brings a version up, and makes a subject of it. */
  version(version: BenchVersion, payloadBytes?: number): Promise<Subject>
}

export type Suite = {
  name: string
  /** One line for `--help`. */
  about: string
  /** How long it takes at its usual rounds, start and end included, roughly. */
  minutes: number
  /** Where its engine keeps its data; absent = in its folder. */
  store?: 'mongodb'
  run(bench: Bench): Promise<BenchReport>
}

export type BenchOptions = Pick<
  Bench,
  'suite' | 'isQuick' | 'rounds' | 'profile' | 'say' | 'signal'
> & {
  store?: Suite['store']
  /** Of a server that there is; null = FerretDB is started. */
  mongoUri: string | null
}

export async function openBench(options: BenchOptions): Promise<Bench> {
  const { say, store, mongoUri, ...rest } = options
  const dir = await mkdtemp(join(tmpdir(), 'kre-bench-'))
  const opened = new AsyncDisposableStack()
  opened.defer(() => rm(dir, { recursive: true, force: true }))
  try {
    const mongo = store === 'mongodb' ? opened.use(await startBenchMongo(mongoUri)) : null
    const engine = opened.use(await startBenchEngine(dir, say, mongo?.settings))
    const echo = opened.use(await startEchoFloor())
    const natsFloors = new Map<number, ReturnType<typeof startNatsFloor>>()
    const natsFloor = (nodes: number) => {
      let floor = natsFloors.get(nodes)
      if (floor === undefined) {
        floor = startNatsFloor(engine.natsServer, dir, nodes).then((started) => opened.use(started))
        natsFloors.set(nodes, floor)
      }
      return floor
    }
    let streams: ReturnType<typeof startStreamFloor> | undefined
    const echoTarget = async (port: number, payloadBytes = SMALL_BYTES) => {
      const frame = grpcFrame(payloadBytes)
      const bodyFile = join(dir, `body-${payloadBytes}.bin`)
      await writeFile(bodyFile, frame)
      return { port, path: ECHO_PATH, bodyFile, answerBytes: frame.length }
    }
    return {
      ...rest,
      say,
      dir,
      engine,
      mongo,
      echoTarget,
      async floors(payloadBytes) {
        const nats = await natsFloor(3)
        return [
          { name: 'floor', target: await echoTarget(echo.port, payloadBytes), pids: echo.pids },
          { name: 'natsFloor', target: await echoTarget(nats.port, payloadBytes), pids: nats.pids },
        ]
      },
      streamFloor() {
        streams ??= startStreamFloor().then((started) => opened.use(started))
        return streams
      },
      async natsFloor(nodes) {
        const { port, pids } = await natsFloor(nodes)
        return { name: `natsFloor${nodes}`, target: await echoTarget(port), pids }
      },
      async version(version, payloadBytes) {
        const { port, pids } = await engine.start(version)
        return { name: version.version, target: await echoTarget(port, payloadBytes), pids }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}
