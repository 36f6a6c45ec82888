/**
 * `npm run bench:starts -- [--tags test] [--rounds 7] [--only entrypoint,typescript] [--json FILE]`: what the start of a pod costs over the start of its
 * containers, of images that are there with one tag, or several to compare (`./krectl.sh build --engine podman --tag test`). What was found is in
 * docs/scale.md. As root, with podman.
 */
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Workload } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startPod, type RunningPod } from './pod.ts'
import { containerName, podman, spawnContainer } from './podman.ts'
import { openVersionInPods, type VersionInPods } from './version-in-pods.ts'

/** Of one pod. Processor time in ms, from the start of a process; memory in MiB. */
type Start = {
  /** `node -e 0` in the same image: what no program of ours can go below. */
  floorCpu: number
  prepareCpu: number
  prepareWall: number
  runCpu: number
  /** Until it answers for its readiness (a node), or listens (an entrypoint). */
  runWall: number
  /** Of the process, a while after that. */
  residentMiB: number
}
type Figures = Record<string, Record<string, { median: number; min: number; max: number }>>

const TIMEOUT_MS = 60_000
const SETTLE_MS = 1_500
const EVERY_MS = 5
const NANOS_PER_MS = 1e6
const TICK_MS = 10
/** Place in `/proc/PID/stat`, behind the name. */
const START_TIME = 19
/** Says at the end what the process has used. */
const PRELOAD = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  require('node:fs').writeSync(2, 'USED ' + JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1000, wall: performance.now() }) + '\\n')
})`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tags: { type: 'string', default: 'test' },
      rounds: { type: 'string', default: '7' },
      only: { type: 'string', default: 'typescript,python,entrypoint' },
      json: { type: 'string' },
    },
  })
  const folder = await mkdtemp(join(tmpdir(), 'kre-starts-'))
  try {
    const preload = join(folder, 'preload.cjs')
    await writeFile(preload, PRELOAD)
    const found = new Map<string, Start[]>()
    const wanted = values.only.split(',')
    // One after the other in every round, so that what else the computer does hits all alike.
    for (let round = 0; round < Number(values.rounds); round++)
      for (const tag of values.tags.split(',')) {
        await using version = await openVersionInPods(tag)
        for (const [name, start] of Object.entries(await startAll(version, wanted, preload))) {
          console.log(`round ${round + 1}, ${name}:${tag}`, start)
          found.set(`${name}:${tag}`, [...(found.get(`${name}:${tag}`) ?? []), start])
        }
      }
    const figures = Object.fromEntries([...found].map(([name, starts]) => [name, spread(starts)]))
    print(figures)
    if (values.json !== undefined) await writeFile(values.json, JSON.stringify(figures, null, 2))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** One pod after the other, so that none starts beside another one. */
async function startAll(
  version: VersionInPods,
  wanted: readonly string[],
  preload: string,
): Promise<Record<string, Start>> {
  await using pods = new AsyncDisposableStack()
  const starts: Record<string, Start> = {}
  for (const workload of version.workloads) {
    if (!wanted.includes(nameOf(workload))) continue
    const parts = await version.partsOf(workload)
    const [container] = parts.deployment.spec?.template.spec?.containers ?? []
    const floorCpu = await floorOf(container?.image ?? '', preload)
    const pod = pods.use(await startPod(workload, parts, preload))
    const prepared = usedOf(pod.prepared)
    const run = await whenReady(pod)
    starts[nameOf(workload)] = {
      floorCpu,
      prepareCpu: prepared.cpu,
      prepareWall: prepared.wall,
      ...run,
    }
  }
  return starts
}

function nameOf({ spec }: Workload): string {
  return spec.kind === 'node' ? spec.runner : spec.kind
}

async function floorOf(image: string, preload: string): Promise<number> {
  const child = spawnContainer(containerName(), image, {
    command: ['node', '--require=/preload.cjs', '-e', '0'],
    mounts: [{ from: preload, to: '/preload.cjs', readOnly: true }],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += String(chunk)))
  await once(child, 'close')
  return usedOf(said).cpu
}

function usedOf(said: string): { cpu: number; wall: number } {
  const [, text] = /^USED (.*)$/m.exec(said) ?? []
  if (text === undefined) throw new Error(`a program has not said what it used: ${said}`)
  return JSON.parse(text) as { cpu: number; wall: number }
}

async function whenReady(
  pod: RunningPod,
): Promise<Pick<Start, 'runCpu' | 'runWall' | 'residentMiB'>> {
  const isReady = pod.workload.spec.kind === 'node' ? answersReady : listens
  const whenReady = waitUntil(`${pod.workload.id} is ready`, async () => isReady(pod.port), {
    everyMs: EVERY_MS,
    timeoutMs: TIMEOUT_MS,
  }).then(() => Date.now())
  const pid = await waitUntil(`${pod.container} runs`, async () =>
    podman('inspect', '--format', '{{.State.Pid}}', pod.container).then(Number, () => 0),
  )
  const startedAt = await startOf(pid)
  const runWall = (await whenReady) - startedAt
  const runCpu = await cpuOf(pid)
  await sleep(SETTLE_MS)
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kibibytes = Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1])
  return { runCpu, runWall, residentMiB: kibibytes / 1024 }
}

async function answersReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      .once('error', () => resolve(false))
  })
}

/** Unix ms. */
async function startOf(pid: number): Promise<number> {
  const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1] ?? ''
  const [uptime = '0'] = (await readFile('/proc/uptime', 'utf8')).split(' ')
  return Date.now() - Number(uptime) * 1_000 + Number(stat.split(' ')[START_TIME]) * TICK_MS
}

/** Of all threads of a process, in ms. */
async function cpuOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`)
  const nanos = await Promise.all(
    threads.map(async (tid) =>
      Number((await readFile(`/proc/${pid}/task/${tid}/schedstat`, 'utf8')).split(' ')[0]),
    ),
  )
  return nanos.reduce((sum, one) => sum + one, 0) / NANOS_PER_MS
}

function spread(starts: readonly Start[]): Figures[string] {
  const all = starts.map((start) => ({
    ...start,
    // Over what Node.js itself takes, twice.
    tax: start.prepareCpu + start.runCpu - 2 * start.floorCpu,
    both: start.prepareCpu + start.runCpu,
  }))
  const [first] = all
  return Object.fromEntries(
    Object.keys(first ?? {}).map((key) => {
      const sorted = all.map((one) => one[key as keyof typeof one]).toSorted((a, b) => a - b)
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0
      return [key, { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 }]
    }),
  )
}

function print(figures: Figures): void {
  for (const [name, all] of Object.entries(figures)) {
    console.log(name)
    for (const [key, { median, min, max }] of Object.entries(all))
      console.log(`  ${key}: ${median.toFixed(1)} (${min.toFixed(1)}-${max.toFixed(1)})`)
  }
}

await main()
