/** `--profile FOLDER --case NAME`: one more load on a case, with the profiler in its processes. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Bench } from '../bench.ts'
import { h2load, LOADED } from '../measure/h2load.ts'
import { processTimes, type ProcessTimes } from '../measure/processes.ts'
import type { Subject } from '../measure/subject.ts'
import { startProfile, stopProfile } from './inspect.ts'
import { type ProcessProfile, profileMarkdown } from './profile-markdown.ts'
import { type CpuProfile, selfTimes } from './self-times.ts'

/** Enough samples that the functions which matter stand out. */
const REQUESTS = 40_000
const REQUESTS_QUICK = 10_000
const root = resolve(import.meta.dirname, '../../..')

/** Does nothing when no profile is wanted, or the wanted case is not among the subjects. */
export async function profileSubject(bench: Bench, subjects: readonly Subject[]): Promise<void> {
  const wish = bench.profile
  const subject = subjects.find(({ name }) => name === wish?.caseName)
  if (wish === null || subject === undefined) return
  const processes = await bench.engine.processes(subject.name)
  const profiled = processes.flatMap(({ node, role, pid }) =>
    pid === null ? [] : [{ name: node ?? role, pid }],
  )
  if (profiled.length === 0)
    throw new Error(`case "${subject.name}" is no version of the engine: it has no profile`)
  bench.say(`profiling ${subject.name}`)
  await mkdir(wish.folder, { recursive: true })
  const others = subject.pids.filter((pid) => !profiled.some((one) => one.pid === pid))
  for (const { pid } of profiled) await startProfile(pid)
  const before = timesOf([...profiled.map(({ pid }) => pid), ...others])
  const load = await h2load({
    target: subject.target,
    shape: subject.shape ?? LOADED,
    requests: bench.isQuick ? REQUESTS_QUICK : REQUESTS,
    logFile: join(bench.dir, 'profile.log'),
    signal: bench.signal,
  })
  const after = timesOf(before.keys())
  const found: ProcessProfile[] = []
  for (const { name, pid } of profiled) {
    const text = await stopProfile(pid)
    await writeFile(join(wish.folder, `${subject.name}-${name}.cpuprofile`), text)
    const profile = JSON.parse(text) as CpuProfile
    found.push({ name, ...spent(before, after, [pid]), selfTimes: selfTimes(profile, root) })
  }
  // The broker, the engine and workers in other languages have no profile of V8.
  found.push({ name: 'others', ...spent(before, after, others), selfTimes: [] })
  const { name: caseName } = subject
  const { answered: requests } = load
  const text = profileMarkdown({ suite: bench.suite, caseName, requests, processes: found })
  await writeFile(join(wish.folder, `${subject.name}.md`), `${text}\n`)
  wish.taken = text
}

type Times = ReadonlyMap<number, ProcessTimes>

function timesOf(pids: Iterable<number>): Times {
  return new Map([...pids].map((pid) => [pid, processTimes(pid)]))
}

function spent(before: Times, after: Times, pids: readonly number[]): ProcessTimes {
  const sum = (part: keyof ProcessTimes) =>
    pids.reduce(
      (all, pid) => all + (after.get(pid)?.[part] ?? 0) - (before.get(pid)?.[part] ?? 0),
      0,
    )
  return { userMicros: sum('userMicros'), systemMicros: sum('systemMicros') }
}
