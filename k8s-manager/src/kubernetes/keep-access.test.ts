import { describe, expect, test } from '@jest/globals'
import type { Workload } from '@kre/contracts'
import { createLogger } from '@kre/service-kit'
import { kubernetesSettings } from '../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { type AccessGroup, createKeptAccess } from './keep-access.ts'
import { groupName } from './manifests/identity.ts'
import type { KubernetesSettings } from './settings.ts'

const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u' }
const NAME = groupName(nodeWorkload('etl'))
const GROUP: AccessGroup = { workloads: [nodeWorkload('etl'), nodeWorkload('model')], owner }

function keeping(expiresInMs: number | null, settings: KubernetesSettings = kubernetesSettings()) {
  const written: string[] = []
  const data: Record<string, string>[] = []
  const state = { nowMs: 0, broken: false, isThere: true, certificates: '' }
  const provided: string[] = []
  const note = (how: string, object: object) => {
    if (state.broken) throw new Error('away')
    written.push(how)
    data.push((object as { data?: Record<string, string> }).data ?? {})
  }
  const objects: Pick<ClusterObjects, 'apply' | 'change'> = {
    async apply(object) {
      note('applied', object)
      return object
    },
    async change(_ref, fields) {
      if (!state.isThere) return null
      note('changed', fields)
      return {}
    },
  }
  const access = createKeptAccess({
    objects: objects as ClusterObjects,
    settings,
    runnerAccess: ({ id }: Workload) => ({
      servers: ['nats://inside:4222'],
      user: id,
      password: '',
      ...(expiresInMs === null
        ? {}
        : { credentials: { jwt: '', seed: '', expiresUnixMs: state.nowMs + expiresInMs } }),
    }),
    certificates: () => state.certificates,
    provideBundle: async (digest) => void provided.push(digest),
    logger: createLogger('test', { level: 'silent' }),
    now: () => state.nowMs,
  })
  const tick = async (nowMs: number) => {
    state.nowMs = nowMs
    await access.tick([NAME], () => GROUP)
    return written.splice(0).length
  }
  return { access, written, data, provided, state, tick }
}

describe('credentials of a version', () => {
  test('are written anew at once when pods need other certificates', async () => {
    const { tick, state } = keeping(100_000)
    expect(await tick(0)).toBe(1)
    state.certificates = 'others'
    expect(await tick(1_000)).toBe(1)
    expect(await tick(2_000)).toBe(0)
  })

  test('are written anew when two fifths of their life are over', async () => {
    const { access, written, tick } = keeping(1_000)
    await access.write(GROUP)
    written.length = 0
    expect([await tick(0), await tick(399), await tick(400), await tick(799)]).toEqual([0, 0, 1, 0])
  })
  test('that an earlier engine has written are written anew at once', async () => {
    const { access, written } = keeping(1_000)
    await access.tick([NAME], () => GROUP)
    await access.tick([NAME], () => GROUP)
    expect(written).toEqual(['changed'])
  })
  test('without an end are written once', async () => {
    const { access, state, written } = keeping(null)
    await access.tick([NAME], () => GROUP)
    state.nowMs = 1e12
    await access.tick([NAME], () => GROUP)
    expect(written).toHaveLength(1)
  })
  test('that could not be written are tried again after a while', async () => {
    const { state, tick } = keeping(1_000)
    state.broken = true
    expect(await tick(0)).toBe(0)
    state.broken = false
    expect([await tick(4_999), await tick(5_000)]).toEqual([0, 1])
  })
  test('of workloads that are just being applied stay when the others get newer ones', async () => {
    const { access, written, state } = keeping(1_000)
    await access.tick([NAME], () => GROUP)
    expect(written).toEqual(['changed'])
    state.isThere = false
    state.nowMs = 500
    await access.tick([NAME], () => GROUP)
    // Somebody has removed the Secret: all of it is written.
    expect(written).toEqual(['changed', 'applied'])
  })
  test('are one Secret, in which each workload has its own, and bring its bundle with them', async () => {
    const { access, data, provided } = keeping(1_000)
    await access.write(GROUP)
    expect(data).toHaveLength(1)
    const users = Object.entries(data[0] ?? {}).flatMap(([key, value]) =>
      key.endsWith('.nats.json')
        ? [(JSON.parse(Buffer.from(value, 'base64').toString()) as { user: string }).user]
        : [],
    )
    expect(users).toEqual(['shop.v1.main.etl', 'shop.v1.main.model'])
    expect(provided).toEqual(['a'.repeat(64)])
  })
  test('name the address of NATS that pods can reach', async () => {
    const { access, data } = keeping(1_000, kubernetesSettings({ natsServers: ['nats://pods:1'] }))
    await access.write({ workloads: [entrypointWorkload()], owner })
    const [value = ''] = Object.values(data[0] ?? {})
    expect(JSON.parse(Buffer.from(value, 'base64').toString())).toMatchObject({
      servers: ['nats://pods:1'],
    })
  })
  test('are made for a few versions at a time', async () => {
    const { access, written } = keeping(1_000)
    const groups = Array.from({ length: 40 }, (_, index) => {
      const workload = { ...entrypointWorkload(), runtimeId: `r${index}` }
      return [groupName(workload), { workloads: [workload], owner }] as const
    })
    const byName = new Map(groups)
    await access.tick(byName.keys(), (name) => byName.get(name) ?? null)
    expect(written).toHaveLength(32)
  })
})
