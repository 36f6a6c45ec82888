/**
 * A small process that takes bundles in as the engine does, without a test runner's memory around it.
 * Its arguments are a folder of bundles, and which of how many processes like it this is: each takes its share.
 * A line for each bundle on stdout says what came of it.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ingestBundle } from '@kre/bundle'
import { KiB, type KrtIssue } from '@kre/contracts'

export type HostLine = {
  /** Of the bundle's file. */
  name: string
  ok: boolean
  issues: KrtIssue[]
  /** Thrown in place of an answer. */
  fault?: string
  /** Of the validator and what it started. */
  cpuMs: number
  /** Highest resident memory of the validator, and of what it started, in KiB. */
  childKiB: number
  /** Resident memory of this process after the bundle. */
  hostKiB: number
  /** Names in the scratch folder afterwards. */
  left: string[]
}

const POLL_MS = 15
const CPU_TICK_MS = 10

async function takeIn(folder: string, name: string): Promise<HostLine> {
  const scratchDir = await mkdtemp(join(tmpdir(), 'kre-hostile-'))
  const watch = watchChildren()
  let outcome: Pick<HostLine, 'ok' | 'issues' | 'fault'>
  try {
    const { ok, issues } = await ingestBundle(
      { stream: createReadStream(join(folder, name)) },
      { scratchDir },
    )
    outcome = { ok, issues: [...issues] }
  } catch (thrown) {
    outcome = { ok: false, issues: [], fault: String(thrown) }
  }
  const used = await watch.stop()
  const left = await readdir(scratchDir)
  await rm(scratchDir, { recursive: true })
  const hostKiB = process.memoryUsage.rss() / KiB
  return { name, ...outcome, ...used, hostKiB, left }
}

/** Looks at this process's children until it is stopped; what a child does in its last moments is missed. */
function watchChildren() {
  const cpuTicks = new Map<string, number>()
  let childKiB = 0
  const look = async (): Promise<void> => {
    let sum = 0
    for (const pid of await descendants(String(process.pid))) {
      const status = await read(`/proc/${pid}/status`)
      sum += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0)
      const times = (await read(`/proc/${pid}/stat`)).split(') ')[1]?.split(' ')
      // utime and stime, the 14th and 15th field, of which two and the name are cut off.
      cpuTicks.set(
        pid,
        Math.max(cpuTicks.get(pid) ?? 0, Number(times?.[11] ?? 0) + Number(times?.[12] ?? 0)),
      )
    }
    childKiB = Math.max(childKiB, sum)
  }
  let pending = Promise.resolve()
  const timer = setInterval(() => (pending = look()), POLL_MS)
  return {
    async stop() {
      clearInterval(timer)
      await pending
      const ticks = [...cpuTicks.values()].reduce((total, each) => total + each, 0)
      return { cpuMs: ticks * CPU_TICK_MS, childKiB }
    },
  }
}

async function descendants(pid: string): Promise<string[]> {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lists = await Promise.all(tasks.map((task) => read(`/proc/${pid}/task/${task}/children`)))
  const children = lists.join(' ').split(' ').filter(Boolean)
  return [...children, ...(await Promise.all(children.map(descendants))).flat()]
}

/** Empty for a process that has ended in the meantime. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}

const [folder = '', index, count] = process.argv.slice(2)
for (const [i, name] of (await readdir(folder)).toSorted().entries())
  if (i % Number(count) === Number(index))
    process.stdout.write(`${JSON.stringify(await takeIn(folder, name))}\n`)
