/** Load by h2load: a generator in C, so that it takes little of the processors it shares with what it measures. */
import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type LoadResult = {
  requests: number
  failed: number
  seconds: number
  p50Ms: number
  p99Ms: number
}

/** Closed loop: `connections` x `streams` requests are in flight all the time, `requests` in total. */
export async function load(options: {
  port: number
  path: string
  bodyFile: string
  connections: number
  streams: number
  requests: number
  logFile: string
}): Promise<LoadResult> {
  const { port, path, bodyFile, connections, streams, requests, logFile } = options
  await rm(logFile, { force: true })
  const began = performance.now()
  const shape = [
    '-n',
    String(requests),
    '-c',
    String(connections),
    '-m',
    String(streams),
    '-t',
    '1',
  ]
  const request = [
    '-d',
    bodyFile,
    '-H',
    'content-type: application/grpc+proto',
    '-H',
    'te: trailers',
  ]
  const target = `http://127.0.0.1:${port}${path}`
  const { stdout } = await run('h2load', [...shape, ...request, '--log-file', logFile, target])
  const seconds = (performance.now() - began) / 1000
  const succeeded = Number(/(\d+) 2xx/.exec(stdout)?.[1] ?? 0)
  // One line a request: start in microseconds, HTTP status, duration in microseconds.
  const durations = (await readFile(logFile, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t')[2]))
    .toSorted((a, b) => a - b)
  const at = (quantile: number) =>
    (durations[Math.min(durations.length - 1, Math.floor(durations.length * quantile))] ?? 0) / 1000
  const finished = Number(/finished in ([\d.]+)s/.exec(stdout)?.[1] ?? seconds)
  return {
    requests: succeeded,
    failed: requests - succeeded,
    seconds: finished,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}
