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

const PATIENCE = { timeoutMs: 120_000 }
const TICKS_PER_SECOND = 100
/** Place in `/proc/PID/stat`, behind the name. */
const START_TIME = 19

/** @param find the pod, as the cluster shows it now; null = it is not made yet. */
export async function timeStart(find: () => Promise<Pod | null>): Promise<StartTimes> {
  const pod = await waitUntil('the pod is made', find, { ...PATIENCE, everyMs: 20 })
  const made = Date.now()
  const prepared = await startOf(pod, 'programs/prepare.js')
  const container = await startOf(pod, 'programs/node-runner.js')
  const { podIP = '' } = (await find())?.status ?? {}
  while (!(await answers(podIP))) await sleep(10)
  const announced = Date.now()
  const becomesReady = async () => {
    const found = await find()
    return found !== null && isReady(found)
  }
  await waitUntil('the pod is ready', becomesReady, { ...PATIENCE, everyMs: 20 })
  return {
    toPrepare: prepared - made,
    toContainer: container - prepared,
    toAnnounced: announced - container,
    toReady: Date.now() - announced,
  }
}

/** Unix ms of the start of a pod's process, by what its command line names. */
async function startOf(pod: Pod, program: string): Promise<number> {
  const found = await waitUntil(
    `${program} runs`,
    async () => {
      for (const pid of await processesOf(pod)) {
        const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
        if (!(await read('cmdline')).includes(program)) continue
        const ticks = (await read('stat')).split(') ')[1]?.split(' ')[START_TIME]
        if (ticks !== undefined) return { seconds: Number(ticks) / TICKS_PER_SECOND }
      }
      return null
    },
    { ...PATIENCE, everyMs: 60 },
  )
  const [uptime = '0'] = (await readFile('/proc/uptime', 'utf8')).split(' ')
  return Date.now() - (Number(uptime) - found.seconds) * 1_000
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
