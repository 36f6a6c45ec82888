import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { controlSubject, DeathNotice, MiB, type ReplicaObservation } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from '../testing/apply.ts'
import { startLocalTarget, type TestTarget } from '../testing/start-local-target.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'
import { findByEnvironment, readProcessGroups } from './process-table.ts'

const hasPython = spawnSync('python3', ['--version']).status === 0
/** Skips where there is no python3. */
const testWithPython = hasPython ? test : test.skip
const signal = new AbortController().signal

describe('a replica that dies', () => {
  test('is replaced, and everybody hears which requests it took along', async () => {
    await using subject = await startLocalTarget()
    const notices = await listenForDeaths(subject)
    await apply(subject.target, { apply: [nodeWorkload('etl', { behaviour: 'busy' })], remove: [] })
    const before = await readyReplica(subject)
    process.kill(before.pid ?? 0, 'SIGKILL')
    const after = await waitUntil('a new process', async () => {
      const now = await onlyReplica(subject)
      return now.state === 'ready' && now.pid !== before.pid ? now : null
    })
    expect(after).toMatchObject({ replica: 0, restarts: 1, reason: '' })
    expect(notices).toEqual([
      {
        workflow: 'main',
        node: 'etl',
        replica: 0,
        pid: before.pid,
        interrupted: ['11111111-2222-3333-4444-555555555555'],
        reason: expect.stringMatching(/^was ended by SIGKILL/),
      },
    ])
  })

  test('because its handler is blocked is killed soon after the deadline, with the request in its reason', async () => {
    await using subject = await startLocalTarget()
    const notices = await listenForDeaths(subject)
    await apply(subject.target, {
      apply: [nodeWorkload('etl', { behaviour: 'blocked' })],
      remove: [],
    })
    await waitUntil('a death', () => notices.length > 0)
    expect(notices[0]).toMatchObject({
      interrupted: ['11111111-2222-3333-4444-555555555555'],
      reason:
        'its handler blocked the process beyond the deadline of request 11111111-2222-3333-4444-555555555555 (an endless loop?), so it was killed',
    })
    await readyReplica(subject)
  })

  test('takes its workers along', async () => {
    await using subject = await startLocalTarget()
    await apply(subject.target, {
      apply: [nodeWorkload('etl', { behaviour: 'worker' })],
      remove: [],
    })
    const { pid } = await readyReplica(subject)
    expect(readProcessGroups().get(pid ?? 0)).toHaveLength(2)
    process.kill(pid ?? 0, 'SIGKILL')
    await waitUntil('its group is empty', () => !readProcessGroups().has(pid ?? 0))
  })

  test('again and again is restarted ever later, and says why in its own last words', async () => {
    await using subject = await startLocalTarget()
    await apply(subject.target, {
      apply: [nodeWorkload('etl', { behaviour: 'crash' })],
      remove: [],
    })
    const replica = await waitUntil('three restarts', async () => {
      const now = await onlyReplica(subject)
      return now.restarts >= 3 ? now : null
    })
    expect(replica).toMatchObject({
      state: 'backoff',
      reason: 'exited with code 1: Error: model.bin is not a model',
    })
  })

  test('does not hold up the others of its version', async () => {
    await using subject = await startLocalTarget()
    const { target } = subject
    await apply(target, {
      apply: [
        nodeWorkload('etl', { behaviour: 'crash' }),
        nodeWorkload('model'),
        entrypointWorkload(),
      ],
      remove: [],
    })
    await waitUntil('the others are ready', async () => {
      const observed = await target.fetch(signal)
      return (
        observed.flatMap(({ replicas }) => replicas).filter((r) => r.state === 'ready').length === 2
      )
    })
  })

  test('comes up when its cause is mended', async () => {
    await using subject = await startLocalTarget()
    const broken = nodeWorkload('etl', { behaviour: 'crash' })
    await apply(subject.target, { apply: [broken], remove: [] })
    await waitUntil('it failed', async () => (await onlyReplica(subject)).restarts > 0)
    await apply(subject.target, { apply: [nodeWorkload('etl')], remove: [] })
    await ready(subject.target, 1)
  })
})

describe('a replica that lives but does not work', () => {
  test('is killed when it never announces itself', async () => {
    await using subject = await startLocalTarget({ startTimeoutMs: 500, readyTimeoutMs: 1_000 })
    await apply(subject.target, { apply: [nodeWorkload('etl', { behaviour: 'mute' })], remove: [] })
    const late = await waitUntil('it is overdue', async () => {
      const replica = await onlyReplica(subject)
      return replica.isOverdue ? replica : null
    })
    expect(late).toMatchObject({ state: 'starting', restarts: 0, pid: expect.any(Number) })
    expect(late.reason).toMatch(/^is not ready after 0.5 s/)
    const failed = await waitUntil('it was killed', () => failedOnce(subject))
    expect(failed.reason).toMatch(/^was not ready within 1 s, so it was killed/)
    expect(failed).toMatchObject({ state: 'backoff', isOverdue: true })
  })

  test('is killed when user code blocks its thread while it is loaded', async () => {
    await using subject = await startLocalTarget({ startTimeoutMs: 500 })
    const blocked = nodeWorkload('etl', { behaviour: 'loading' })
    await apply(subject.target, { apply: [blocked], remove: [] })
    const { reason } = await waitUntil('it was killed', () => failedOnce(subject))
    expect(reason).toBe(
      'blocked its thread for 0.5 s while it started, so it was killed: src/etl.ts is still being loaded, its log ends with "reading rows"; look for an endless loop or a blocking call at its top level',
    )
  })

  test('is in error when its preparation takes for ever', async () => {
    const never = new Promise<never>(() => undefined)
    await using subject = await startLocalTarget(
      { startTimeoutMs: 100, readyTimeoutMs: 300 },
      {},
      { bundles: { path: () => never } },
    )
    await apply(subject.target, { apply: [nodeWorkload('etl')], remove: [] })
    await waitUntil('it is overdue', async () => (await onlyReplica(subject)).isOverdue)
    expect(await onlyReplica(subject)).toMatchObject({
      pid: null,
      reason: 'is not ready after 0.3 s',
    })
  })

  test('is killed when it falls silent', async () => {
    await using subject = await startLocalTarget({ silenceMs: 1_000 })
    await apply(subject.target, {
      apply: [nodeWorkload('etl', { behaviour: 'silent' })],
      remove: [],
    })
    await readyReplica(subject)
    await waitUntil('a restart', () => restarted(subject))
  })

  test('is left alone when it is NATS that is away', async () => {
    await using subject = await startLocalTarget({ silenceMs: 400 })
    await apply(subject.target, { apply: [nodeWorkload('etl')], remove: [] })
    const before = await readyReplica(subject)
    await subject.nats.restart()
    const connection = await subject.nats.connect()
    await waitUntil('announcements arrive again', async () => {
      const heard = connection.subscribe(
        controlSubject({ runtimeId: 'shop', version: 'v1' }, 'announce'),
        { max: 3 },
      )
      for await (const _ of heard);
      return true
    })
    expect(await onlyReplica(subject)).toEqual(before)
  })

  test('is killed when it uses more memory than it may', async () => {
    await using subject = await startLocalTarget()
    const workload = nodeWorkload('etl', { behaviour: 'grow', memoryBytesMax: 200 * MiB })
    await apply(subject.target, { apply: [workload], remove: [] })
    const { reason } = await waitUntil('a restart', () => restarted(subject))
    expect(reason).toMatch(/^OOMKilled: used \d+ MiB of 200 MiB/)
  })

  test('tells of its removal once, however often that is asked for', async () => {
    await using subject = await startLocalTarget({ drainMs: 100 })
    const workload = nodeWorkload('etl', { behaviour: 'stubborn' })
    await apply(subject.target, { apply: [workload], remove: [] })
    await readyReplica(subject)
    const heard: string[] = []
    // As the converger does: whatever it hears of, it applies again.
    subject.target.watch((id) => {
      heard.push(id)
      void apply(subject.target, { apply: [], remove: [workload.id] })
    })
    await apply(subject.target, { apply: [], remove: [workload.id] })
    await waitUntil('it is gone', async () => (await subject.target.fetch(signal)).length === 0)
    expect(heard.length).toBeLessThan(10)
  })

  test('is killed when it does not end within its drain', async () => {
    await using subject = await startLocalTarget({ drainMs: 100 })
    const workload = nodeWorkload('etl', { behaviour: 'stubborn' })
    await apply(subject.target, { apply: [workload], remove: [] })
    await readyReplica(subject)
    await apply(subject.target, { apply: [], remove: [workload.id] })
    expect(await onlyReplica(subject)).toMatchObject({ state: 'stopping' })
    await waitUntil('it is gone', async () => (await subject.target.fetch(signal)).length === 0)
  })
})

describe('stopAll', () => {
  test('leaves no process and no secrets, but keeps the ports', async () => {
    await using subject = await startLocalTarget()
    const { target, dataDir } = subject
    await apply(target, {
      apply: [nodeWorkload('etl', { replicas: 2 }), entrypointWorkload(), entrypointWorkload(null)],
      remove: [],
    })
    const observed = await ready(target, 4)
    await target.stopAll()
    expect(await target.fetch(signal)).toEqual([])
    expect(findByEnvironment('KRE_LAUNCH_FILE', dataDir)).toEqual([])
    expect(existsSync(join(dataDir, 'run', 'launch', `${observed[0]?.id}.0.json`))).toBe(false)

    await apply(target, { apply: [entrypointWorkload(), entrypointWorkload(null)], remove: [] })
    const again = await ready(target, 2)
    for (const { id, address } of again)
      expect(observed.find((workload) => workload.id === id)?.address).toBe(address)
  })
})

describe('a published entrypoint', () => {
  test('is ready when it answers on its port, though it serves no version to announce', async () => {
    await using subject = await startLocalTarget()
    await apply(subject.target, { apply: [entrypointWorkload(null)], remove: [] })
    const [workload] = await ready(subject.target, 1)
    expect(workload).toMatchObject({ id: 'shop.entrypoint', version: null, workflow: null })
  })

  test('waits for its port, naming it, while another program has it', async () => {
    await using subject = await startLocalTarget()
    const workload = entrypointWorkload(null)
    await apply(subject.target, { apply: [workload], remove: [] })
    const [observed] = await ready(subject.target, 1)
    const port = Number(observed?.address.split(':')[1])
    await subject.target.stopAll()
    const thief = createServer().listen({ host: '127.0.0.1', port })
    await apply(subject.target, { apply: [workload], remove: [] })
    await waitUntil('the reason', async () =>
      (await onlyReplica(subject)).reason.startsWith(`port ${port} on 127.0.0.1 belongs to`),
    )
    thief.close()
    await ready(subject.target, 1)
  })
})

describe('what a process gets', () => {
  test('is its launch file and none of the secrets of the engine', async () => {
    await using subject = await startLocalTarget(
      {},
      {},
      {
        environment: { ...process.env, KRE_ADMIN_SECRET: 'hush' },
      },
    )
    await apply(subject.target, { apply: [nodeWorkload('etl')], remove: [] })
    const { pid } = await readyReplica(subject)
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
    expect(environment).toContain('KRE_LAUNCH_FILE=')
    expect(environment).not.toContain('hush')
  })

  testWithPython(
    'is a reason instead of a process when Python packages can not be installed',
    async () => {
      await using subject = await startLocalTarget({}, { 'requirements.txt': './not/there\n' })
      await apply(subject.target, {
        apply: [nodeWorkload('etl', { runner: 'python' })],
        remove: [],
      })
      const { reason } = await waitUntil('a reason', () => restarted(subject))
      expect(reason).toMatch(/requirements\.txt could not be installed: .*not\/there/s)
      expect(subject.progress.map(({ message }) => message)).toContain(
        'installing requirements.txt',
      )
    },
  )
})

async function onlyReplica({ target }: TestTarget): Promise<ReplicaObservation> {
  return waitUntil('a replica', async () => (await target.fetch(signal))[0]?.replicas[0])
}

async function readyReplica(subject: TestTarget): Promise<ReplicaObservation> {
  await ready(subject.target, 1)
  return onlyReplica(subject)
}

/** The replica, once it was restarted and still says why. */
async function failedOnce(subject: TestTarget): Promise<ReplicaObservation | null> {
  const replica = await onlyReplica(subject)
  return replica.restarts > 0 ? replica : null
}

async function restarted(subject: TestTarget): Promise<ReplicaObservation | null> {
  const replica = await onlyReplica(subject)
  return replica.restarts > 0 ? replica : null
}

async function listenForDeaths({ nats }: TestTarget): Promise<DeathNotice[]> {
  const notices: DeathNotice[] = []
  const connection = await nats.connect('listener')
  connection.subscribe(controlSubject({ runtimeId: 'shop', version: 'v1' }, 'gone'), {
    callback: (_error, message) => void notices.push(DeathNotice.parse(message.json())),
  })
  await connection.flush()
  return notices
}
