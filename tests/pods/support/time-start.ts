/** How long a pod takes from being made until it works, looked at from outside. */
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitUntil } from '@kre/service-kit'
import { isReady, type Pod, processesOf } from './pods.ts'

/** In ms, each from the end of the one before. */
export type StartTimes = {
  /** The cluster finds a place for it, and the kubelet makes its network, folders and first container. */
  toPrepare: number
  /** Fetches and unpacks the bundle, until the container that serves is started. */
  toContainer: number
  /** Its process starts, connects and announces itself. */
  toAnnounced: number
  /** The kubelet asks, and tells the cluster. */
  toReady: number
}

const PREPARE = 'programs/prepare.js'
const SERVE = 'programs/node-runner.js'
const PATIENCE = { timeoutMs: 120_000 }
const TICKS_PER_SECOND = 100
/** Place in `/proc/PID/stat`, behind the name. */
const START_TIME = 19

/**
 * @param find the pod, as the cluster shows it now; null = it is not made yet.
 * @returns null when its first program ended before it was seen; the pod is ready all the same.
 */
export async function timeStart(find: () => Promise<Pod | null>): Promise<StartTimes | null> {
  const pod = await waitUntil('the pod is made', find, { ...PATIENCE, everyMs: 20 })
  const made = Date.now()
  const first = await startOf(pod, [PREPARE, SERVE])
  const serving = first.program === SERVE ? first : await startOf(pod, [SERVE])
  const [prepared, container] = [first.unixMs, serving.unixMs]
  const { podIP = '' } = (await find())?.status ?? {}
  while (!(await answers(podIP))) await sleep(10)
  const announced = Date.now()
  const becomesReady = async () => {
    const found = await find()
    return found !== null && isReady(found)
  }
  await waitUntil('the pod is ready', becomesReady, { ...PATIENCE, everyMs: 20 })
  if (first.program === SERVE) return null
  return {
    toPrepare: prepared - made,
    toContainer: container - prepared,
    toAnnounced: announced - container,
    toReady: Date.now() - announced,
  }
}

/** The first of these programs that a process of the pod names in its command line, and when it started. */
async function startOf(
  pod: Pod,
  programs: readonly string[],
): Promise<{ program: string; unixMs: number }> {
  const { program, seconds } = await waitUntil(
    `${programs.join(' or ')} runs`,
    async () => {
      for (const pid of await processesOf(pod)) {
        const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
        const command = await read('cmdline')
        const named = programs.find((one) => command.includes(one))
        const ticks = (await read('stat')).split(') ')[1]?.split(' ')[START_TIME]
        if (named !== undefined && ticks !== undefined)
          return { program: named, seconds: Number(ticks) / TICKS_PER_SECOND }
      }
      return null
    },
    { ...PATIENCE, everyMs: 5 },
  )
  const [uptime = '0'] = (await readFile('/proc/uptime', 'utf8')).split(' ')
  return { program, unixMs: Date.now() - (Number(uptime) - seconds) * 1_000 }
}

async function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    request({ host, port: 8081, path: '/readyz', timeout: 1_000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
      .once('error', () => resolve(false))
      .end()
  })
}

export function medianTimes(all: readonly StartTimes[]): StartTimes {
  const median = (of: (times: StartTimes) => number) =>
    Math.round(all.map(of).toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0)
  return {
    toPrepare: median(({ toPrepare }) => toPrepare),
    toContainer: median(({ toContainer }) => toContainer),
    toAnnounced: median(({ toAnnounced }) => toAnnounced),
    toReady: median(({ toReady }) => toReady),
  }
}
