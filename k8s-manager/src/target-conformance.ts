/** What every target must do, whatever it runs workloads on. */
import { describe, expect, test } from '@jest/globals'
import type { ReplicaObservation, Target, Workload, WorkloadObservation } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { apply, ready } from './testing/apply.ts'
import { entrypointWorkload, nodeWorkload } from './testing/workloads.ts'

export type TargetUnderTest = AsyncDisposable & {
  target: Target
  /** Ends one replica from outside, without a warning. */
  killReplica(workload: WorkloadObservation, replica: number): Promise<void>
}

/** @param makeTarget an empty target whose workloads really start; disposing it ends all of them. */
export function targetConformance(name: string, makeTarget: () => Promise<TargetUnderTest>): void {
  const signal = new AbortController().signal

  describe(`${name} as a target`, () => {
    test('starts nodes and entrypoints and observes them ready', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      const stages = await apply(target, {
        apply: [entrypointWorkload(), nodeWorkload('etl'), nodeWorkload('model')],
        remove: [],
      })
      expect(stages.map(({ status }) => status)).toEqual(Array(3).fill('in-progress'))
      const observed = await ready(target, 3)
      expect(observed.find(({ node }) => node === 'etl')).toMatchObject({
        role: 'node',
        workflow: 'main',
        runtimeId: 'shop',
        version: 'v1',
        replicasWanted: 1,
        address: '',
        replicas: [{ state: 'ready', reason: '', restarts: 0 }],
      })
      expect(observed.find(({ role }) => role === 'entrypoint')?.address).toMatch(/^.+:\d+$/)
    })

    test('changes nothing when what runs is applied again', async () => {
      await using subject = await makeTarget()
      const plan = { apply: [nodeWorkload('etl', { replicas: 2 })], remove: [] }
      await apply(subject.target, plan)
      const before = await ready(subject.target, 2)
      const stages = await apply(subject.target, plan)
      expect(stages.map(({ status }) => status)).toEqual(['skipped'])
      expect(await subject.target.fetch(signal)).toEqual(before)
    })

    test('scales up and down', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
      const [before] = await ready(target, 1)
      await apply(target, { apply: [nodeWorkload('etl', { replicas: 3 })], remove: [] })
      const [more] = await ready(target, 3)
      expect(more?.replicas).toContainEqual(before?.replicas[0])
      expect(more?.replicas.map(({ restarts }) => restarts)).toEqual([0, 0, 0])
      await apply(target, { apply: [nodeWorkload('etl', { replicas: 1 })], remove: [] })
      await waitUntil(
        'one replica left',
        async () => countReplicas(await target.fetch(signal)) === 1,
      )
      const [less] = await target.fetch(signal)
      // Which one stays is the target's choice; it goes on as it was.
      expect(more?.replicas).toContainEqual(less?.replicas[0])
      expect({ ...less, replicas: [] }).toEqual({ ...before, replicas: [] })
    })

    test('keeps a workload that sleeps, says what it was scaled to, and wakes it', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
      const [awake] = await ready(target, 1)
      expect(awake).toMatchObject({ replicasWanted: 1, scale: 1 })
      await apply(target, { apply: [nodeWorkload('etl', { replicas: 0 })], remove: [] })
      await waitUntil('it sleeps', async () => countReplicas(await target.fetch(signal)) === 0)
      const [asleep] = await target.fetch(signal)
      expect(asleep).toEqual({ ...awake, replicasWanted: 0, scale: 0, replicas: [] })
      await apply(target, { apply: [nodeWorkload('etl', { replicas: 2 })], remove: [] })
      const [again] = await ready(target, 2)
      expect(again).toMatchObject({ replicasWanted: 2, scale: 2 })
      await apply(target, { apply: [], remove: [again?.id ?? ''] })
      const [leaving] = await target.fetch(signal)
      expect(leaving).not.toHaveProperty('scale')
    })

    test('rolls to another spec without a moment in which nothing is ready', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      await apply(target, { apply: [nodeWorkload('etl'), entrypointWorkload()], remove: [] })
      const before = await ready(target, 2)
      const next = [nodeWorkload('etl', { revision: 2 }), entrypointWorkload('v1', { revision: 2 })]
      await apply(target, { apply: next, remove: [] })
      const fewest: Record<string, number> = {}
      const hashes = new Set(next.map(({ specHash }) => specHash))
      await waitUntil('both rolled', async () => {
        const observed = await target.fetch(signal)
        for (const { id, replicas } of observed)
          fewest[id] = Math.min(
            fewest[id] ?? Infinity,
            replicas.filter(({ state }) => state === 'ready').length,
          )
        return observed.every(
          ({ replicas }) => replicas.length === 1 && hashes.has(replicas[0]?.specHash ?? ''),
        )
      })
      const after = await ready(target, 2)
      expect(fewest[nodeWorkload('etl').id]).toBeGreaterThanOrEqual(1)
      expect(addresses(after)).toEqual(addresses(before))
      expect(after.map(({ specHash }) => specHash).toSorted()).toEqual([...hashes].toSorted())
    })

    test('brings a replica back that was killed', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      await apply(target, { apply: [nodeWorkload('etl')], remove: [] })
      const [before] = await ready(target, 1)
      if (before === undefined) throw new Error('nothing is observed')
      await subject.killReplica(before, before.replicas[0]?.replica ?? 0)
      await waitUntil('another process is ready', async () => {
        const [now] = await target.fetch(signal)
        const replica = now?.replicas.find(({ state }) => state === 'ready')
        return replica !== undefined && !isSameProcess(replica, before.replicas[0])
      })
    })

    test('removes workloads until nothing of them is observed, again and again', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      const workloads = [nodeWorkload('etl'), entrypointWorkload()]
      await apply(target, { apply: workloads, remove: [] })
      await ready(target, 2)
      const remove = workloads.map(({ id }) => id)
      await apply(target, { apply: [], remove })
      await apply(target, { apply: [], remove })
      await waitUntil('all are gone', async () => (await target.fetch(signal)).length === 0)
      const stages = await apply(target, { apply: [], remove })
      expect(stages.map(({ status }) => status)).toEqual(['skipped', 'skipped'])
    })

    test('lets nodes serve until the entrypoint has finished', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      const workloads = [nodeWorkload('etl'), entrypointWorkload()]
      await apply(target, { apply: workloads, remove: [] })
      await ready(target, 2)
      await apply(target, { apply: [], remove: workloads.map(({ id }) => id) })
      await waitUntil('all are gone', async () => {
        const left = await target.fetch(signal)
        const stateOf = (role: string) =>
          left.find((workload) => workload.role === role)?.replicas[0]?.state
        if (stateOf('entrypoint') !== undefined) expect(stateOf('node')).toBe('ready')
        return left.length === 0
      })
    })

    test('starts again what was wanted again while it drained', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      const workload = nodeWorkload('etl')
      await apply(target, { apply: [workload], remove: [] })
      await ready(target, 1)
      await apply(target, { apply: [], remove: [workload.id] })
      await apply(target, { apply: [workload], remove: [] })
      await waitUntil('one is ready again', async () => {
        const [now] = await target.fetch(signal)
        return now?.replicasWanted === 1 && now.replicas.every(({ state }) => state === 'ready')
      })
    })

    test('tells watchers of every workload that changes, until they stop watching', async () => {
      await using subject = await makeTarget()
      const { target } = subject
      const seen: string[] = []
      const stop = target.watch((id) => seen.push(id))
      const workload: Workload = nodeWorkload('etl')
      await apply(target, { apply: [workload], remove: [] })
      await ready(target, 1)
      await waitUntil('a call', () => seen.includes(workload.id))
      stop()
      seen.length = 0
      await apply(target, { apply: [], remove: [workload.id] })
      await waitUntil('it is gone', async () => (await target.fetch(signal)).length === 0)
      expect(seen).toEqual([])
    })

    test('says what it is', async () => {
      await using subject = await makeTarget()
      const info = await subject.target.info()
      expect(info.name).not.toBe('')
      expect(['local', 'kubernetes', 'custom']).toContain(info.kind)
    })
  })
}

function isSameProcess(a: ReplicaObservation, b: ReplicaObservation | undefined): boolean {
  return a.pid === b?.pid && a.replica === b.replica && a.restarts === b.restarts
}

function countReplicas(observed: readonly WorkloadObservation[]): number {
  return observed.reduce((sum, { replicas }) => sum + replicas.length, 0)
}

function addresses(observed: readonly WorkloadObservation[]): string[] {
  return observed.map(({ address }) => address).filter((address) => address !== '')
}
