/** Load by h2load: a generator in C, so that it takes little of the processors it shares with what it measures. */
import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { quantile } from '../report/statistics.ts'

const run = promisify(execFile)
/** No measurement takes as long, so a stuck one ends by itself. */
const LOAD_MS_MAX = 180_000

export type Shape = { connections: number; streams: number }
/** 64 in flight: what is meant where no shape is named. */
export const LOADED: Shape = { connections: 8, streams: 8 }
export type Target = {
  port: number
  path: string
  /** What is posted. */
  bodyFile: string
  /** What every right answer has as its body, in bytes. */
  answerBytes: number
  headers?: readonly string[]
  http1?: boolean
}
export type LoadResult = {
  requests: number
  /** Right answers. h2load sees no gRPC status, but a call that failed has no bytes in its answer. */
  answered: number
  seconds: number
  /** When the last request began, in the milliseconds of `performance.now()`. */
  lastBeganMs: number
  /** Of all responses, refusals too. */
  p50Ms: number
  p99Ms: number
}

/**
 * Without a rate, `connections` x `streams` requests are in flight all the time (closed loop); with one, so many are
 * begun per second whatever becomes of the earlier ones, until `streams` are open on each connection (open loop).
 *
 * @throws Error when h2load is missing or can't connect.
 */
export async function h2load(options: {
  target: Target
  shape: Shape
  requests: number
  perSecond?: number
  /** The processors that the generator may use, as `0,1`; all of them by default. */
  cores?: string
  logFile: string
  signal: AbortSignal
}): Promise<LoadResult> {
  const { target, shape, requests, perSecond, cores, logFile, signal } = options
  await rm(logFile, { force: true })
  const grpc = ['content-type: application/grpc+proto', 'te: trailers']
  const headers = (target.headers ?? grpc).flatMap((header) => ['-H', header])
  const numbers = ['-n', requests, '-c', shape.connections, '-m', shape.streams, '-t', 1].map(
    String,
  )
  const rate = perSecond === undefined ? [] : ['--rps', String(perSecond / shape.connections)]
  const [program, ...first] = [...(cores === undefined ? [] : ['taskset', '-c', cores]), 'h2load']
  const { stdout } = await run(
    program ?? 'h2load',
    [
      ...first,
      ...numbers,
      ...rate,
      ...(target.http1 ? ['--h1'] : []),
      ...headers,
      '--data',
      target.bodyFile,
      '--log-file',
      logFile,
      `http://127.0.0.1:${target.port}${target.path}`,
    ],
    { signal, timeout: LOAD_MS_MAX, maxBuffer: 16 * 1024 * 1024 },
  )
  // One line a request: start in microseconds since 1970, HTTP status, duration in microseconds.
  const lines = (await readFile(logFile, 'utf8')).trim().split('\n')
  const requestTimes = lines.map((line) => line.split('\t').map((word) => Number(word) / 1000))
  const durationsMs = requestTimes.map(([, , ms = 0]) => ms).toSorted((a, b) => a - b)
  const lastBegan = requestTimes.reduce((last, [start = 0]) => Math.max(last, start), 0)
  const succeeded = Number(/(\d+) 2xx/.exec(stdout)?.[1] ?? 0)
  const bytes = Number(/\((\d+)\) data/.exec(stdout)?.[1] ?? 0)
  return {
    requests,
    answered: Math.min(succeeded, Math.round(bytes / target.answerBytes)),
    seconds: finishedIn(stdout),
    lastBeganMs: lastBegan - performance.timeOrigin,
    p50Ms: quantile(durationsMs, 0.5),
    p99Ms: quantile(durationsMs, 0.99),
  }
}

/** `finished in 1.21s`, `813.15ms`, `900us` or `1.02min`. */
function finishedIn(stdout: string): number {
  const [, value = '0', unit = 's'] = /finished in ([\d.]+)(us|ms|s|min)/.exec(stdout) ?? []
  const seconds: Record<string, number> = { us: 1e-6, ms: 1e-3, s: 1, min: 60 }
  return Number(value) * (seconds[unit] ?? 1)
}
