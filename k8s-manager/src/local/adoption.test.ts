import { describe, expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Workload, type WorkloadObservation } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from '../testing/apply.ts'
import { startLocalTarget, type TestTarget } from '../testing/start-local-target.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'
import { findByEnvironment, isRunning, processIdentity } from './process-table.ts'

const signal = new AbortController().signal
const workloads = [nodeWorkload('etl'), nodeWorkload('model'), entrypointWorkload()]

describe('a target that follows one whose engine was killed', () => {
  test('adopts its processes as they are, at once', async () => {
    await using subject = await startLocalTarget()
    const pids = await runKilledEngine(subject, workloads)
    const target = await subject.open()
    const observed = await target.fetch(signal)
    expect(pidsOf(observed)).toEqual(pids)
    expect(observed.flatMap(({ replicas }) => replicas.map(({ state }) => state))).toEqual(
      Array(3).fill('ready'),
    )
    expect((await apply(target, { apply: workloads, remove: [] })).map((s) => s.status)).toEqual(
      Array(3).fill('skipped'),
    )
  })

  test('replaces an adopted process that dies', async () => {
    await using subject = await startLocalTarget()
    const [pid = 0] = await runKilledEngine(subject, [nodeWorkload('etl')])
    const target = await subject.open()
    process.kill(pid, 'SIGKILL')
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await waitUntil('another process', async () => pidsOf(await target.fetch(signal))[0] !== pid)
    const [workload] = await ready(target, 1)
    expect(workload?.replicas[0]).toMatchObject({ restarts: 1 })
  })

  test('starts again what died while nobody watched', async () => {
    await using subject = await startLocalTarget()
    const pids = await runKilledEngine(subject, workloads)
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await waitUntil('all are gone', () => pids.every((pid) => processIdentity(pid) === null))
    const target = await subject.open()
    await apply(target, { apply: workloads, remove: [] })
    const observed = await ready(target, 3)
    expect(pidsOf(observed).some((pid) => pids.includes(pid))).toBe(false)
  })

  test('starts nothing without the configuration values, which are on no disk', async () => {
    await using subject = await startLocalTarget()
    const [pid = 0] = await runKilledEngine(subject, [nodeWorkload('etl')])
    const files = readdirSync(join(subject.dataDir, 'run'), {
      recursive: true,
      withFileTypes: true,
    })
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'))
    expect(texts.filter((text) => text.includes('REVISION'))).toEqual([])
    process.kill(pid, 'SIGKILL')
    const target = await subject.open()
    await waitUntil('its death is seen', async () => {
      const [workload] = await target.fetch(signal)
      return workload?.replicas[0]?.pid === null ? workload : null
    })
    // A difference to what is wanted, so that whoever has the values brings them.
    expect(await target.fetch(signal)).toMatchObject([{ replicasWanted: 0 }])
    await apply(target, { apply: [nodeWorkload('etl', { revision: 2 })], remove: [] })
    expect(await ready(target, 1)).toMatchObject([{ replicasWanted: 1, specHash: 'well-2' }])
  })

  test('drains what it adopted', async () => {
    await using subject = await startLocalTarget()
    const pids = await runKilledEngine(subject, workloads)
    const target = await subject.open()
    await target.stopAll()
    expect(pids.map(processIdentity)).toEqual([null, null, null])
  })

  test('takes nobody else for its process when a pid was used again', async () => {
    await using subject = await startLocalTarget()
    const [pid = 0] = await runKilledEngine(subject, [nodeWorkload('etl')])
    process.kill(pid, 'SIGKILL')
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
    const path = join(subject.dataDir, 'run', 'replicas', `${nodeWorkload('etl').id}.0.json`)
    const record = JSON.parse(readFileSync(path, 'utf8')) as object
    writeFileSync(path, JSON.stringify({ ...record, pid: stranger.pid }))
    const target = await subject.open()
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    const observed = await ready(target, 1)
    expect(pidsOf(observed)).not.toContain(stranger.pid)
    await target.stopAll()
    expect(processIdentity(stranger.pid ?? 0)).not.toBeNull()
    const ended = once(stranger, 'exit')
    stranger.kill('SIGKILL')
    await ended
  })

  test('ends processes that nothing on disk explains, and starts over', async () => {
    await using subject = await startLocalTarget()
    const pids = await runKilledEngine(subject, [nodeWorkload('etl')])
    const { id } = nodeWorkload('etl')
    writeFileSync(join(subject.dataDir, 'run', 'replicas', `${id}.0.json`), '{"pid":')
    writeFileSync(join(subject.dataDir, 'run', 'workloads', 'other.json.draft'), '{"id"')
    const target = await subject.open()
    await waitUntil('the leftover is gone', () => processIdentity(pids[0] ?? 0) === null)
    await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(target, 1)
    expect(findByEnvironment('KRE_LAUNCH_FILE', subject.dataDir)).toHaveLength(1)
  })

  test('adopts a process whose record was about to be replaced when the engine died', async () => {
    await using subject = await startLocalTarget()
    const pids = await runKilledEngine(subject, [nodeWorkload('etl')])
    const path = join(subject.dataDir, 'run', 'replicas', `${nodeWorkload('etl').id}.0.json`)
    const record = readFileSync(path, 'utf8')
    // As an engine wrote it that had its fields in another order: it is written anew.
    const turned = Object.fromEntries(Object.entries(JSON.parse(record) as object).toReversed())
    writeFileSync(path, JSON.stringify(turned))
    writeFileSync(`${path}.draft`, record)
    const target = await subject.open()
    expect(pidsOf(await ready(target, 1))).toEqual(pids)
  })

  test('ends a process, too, that is between two programs when it is looked for', async () => {
    await using subject = await startLocalTarget()
    // Without an environment until the second program runs, as while the system exchanges them.
    const late = `exec env KRE_LAUNCH_FILE=${subject.dataDir}/run/launch/x.json sleep 600`
    const leftover = spawn('/bin/sh', ['-c', `/bin/sleep 0.3; ${late}`], {
      env: {},
      stdio: 'ignore',
      detached: true,
    })
    const ended = once(leftover, 'exit')
    await using _target = await subject.open()
    expect(await ended).toEqual([null, 'SIGKILL'])
  })

  test('goes on draining what was not wanted any more', async () => {
    await using subject = await startLocalTarget()
    const pids = await runKilledEngine(subject, [nodeWorkload('etl')])
    rmSync(join(subject.dataDir, 'run', 'workloads', `${nodeWorkload('etl').id}.json`))
    const target = await subject.open()
    await waitUntil('nothing is left', async () => (await target.fetch(signal)).length === 0)
    expect(processIdentity(pids[0] ?? 0)).toBeNull()
  })
})

describe('a removal whose engine is killed before its last step', () => {
  const { id } = entrypointWorkload()
  const readPorts = (dataDir: string) =>
    JSON.parse(readFileSync(join(dataDir, 'ports.json'), 'utf8')) as Record<string, number>

  /** Removes the entrypoint, and gives what was on disk before the last step. */
  async function removeBut(subject: TestTarget): Promise<Record<string, number>> {
    await apply(subject.target, { apply: [entrypointWorkload()], remove: [] })
    await ready(subject.target, 1)
    await apply(subject.target, { apply: [], remove: [id] })
    const before = readPorts(subject.dataDir)
    expect(before[id]).toBeGreaterThan(0)
    await waitUntil('it is gone', async () => (await subject.target.fetch(signal)).length === 0)
    expect(readPorts(subject.dataDir)).toEqual({})
    await subject.close()
    return before
  }

  test('leaves no port reserved', async () => {
    await using subject = await startLocalTarget()
    const before = await removeBut(subject)
    writeFileSync(join(subject.dataDir, 'ports.json'), JSON.stringify(before))
    await subject.open()
    expect(readPorts(subject.dataDir)).toEqual({})
  })

  test('does not cost a version its port that is wanted again', async () => {
    await using subject = await startLocalTarget()
    await apply(subject.target, { apply: [entrypointWorkload()], remove: [] })
    await ready(subject.target, 1)
    const { [id]: port = 0 } = readPorts(subject.dataDir)
    await apply(subject.target, { apply: [], remove: [id] })
    await apply(subject.target, { apply: [entrypointWorkload()], remove: [] })
    expect(readPorts(subject.dataDir)).toEqual({ [id]: port })
    await subject.target.stopAll()
    await subject.close()
    // An engine that ends keeps the addresses of what it will start again.
    await subject.open()
    expect(readPorts(subject.dataDir)).toEqual({ [id]: port })
  })
})

describe('disposing a target', () => {
  test('leaves its processes to the next one', async () => {
    await using subject = await startLocalTarget()
    await apply(subject.target, { apply: workloads, remove: [] })
    const before = pidsOf(await ready(subject.target, 3))
    await subject.close()
    expect(pidsOf(await (await subject.open()).fetch(signal))).toEqual(before)
  })
})

/** Runs an engine until its workloads are ready, kills it, and gives the pids it leaves behind. */
async function runKilledEngine(subject: TestTarget, wanted: Workload[]): Promise<number[]> {
  await subject.close()
  writeFileSync(join(subject.dataDir, 'plan.json'), JSON.stringify(wanted))
  const host = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../testing/target-host.ts'),
      subject.dataDir,
      subject.nats.access.servers[0] ?? '',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], env: process.env },
  )
  const exited = once(host, 'exit')
  const recordsOnDisk = () => {
    const found = wanted.map(({ id }) => readRecord(subject, id))
    return found.every((record) => record?.ready === true) ? found : null
  }
  const records = await waitUntil('all on record as ready', recordsOnDisk).finally(async () => {
    host.kill('SIGKILL')
    await exited
  })
  expect(records.every((record) => isRunning(record?.pid ?? 0, record?.identity ?? ''))).toBe(true)
  return records.map((record) => record?.pid ?? 0).toSorted((a, b) => a - b)
}

function readRecord({ dataDir }: TestTarget, id: string) {
  try {
    const text = readFileSync(join(dataDir, 'run', 'replicas', `${id}.0.json`), 'utf8')
    return JSON.parse(text) as { pid: number; identity: string; ready: boolean }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function pidsOf(observed: readonly WorkloadObservation[]): number[] {
  return observed
    .flatMap(({ replicas }) => replicas.map(({ pid }) => pid ?? 0))
    .toSorted((a, b) => a - b)
}
