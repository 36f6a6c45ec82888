import { describe, expect, test } from '@jest/globals'
import { createLogger } from '@kre/service-kit'
import { kubernetesSettings } from '../testing/kubernetes-settings.ts'
import { entrypointWorkload, nodeWorkload } from '../testing/workloads.ts'
import type { ClusterObjects } from './cluster/cluster-objects.ts'
import { createKeptAccess } from './keep-access.ts'

const OWNER = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u' }

function keeping(expiresInMs: number | null) {
  const applied: string[] = []
  const state = { nowMs: 0, broken: false }
  const objects: Pick<ClusterObjects, 'apply'> = {
    async apply(object) {
      if (state.broken) throw new Error('away')
      applied.push(object.metadata?.name ?? '')
      return object
    },
  }
  const access = createKeptAccess({
    objects: objects as ClusterObjects,
    settings: kubernetesSettings(),
    runnerAccess: () => ({
      servers: [],
      user: '',
      password: '',
      ...(expiresInMs === null
        ? {}
        : { credentials: { jwt: '', seed: '', expiresUnixMs: state.nowMs + expiresInMs } }),
    }),
    bundleAccess: () => ({ archiveUrl: '', descriptorsUrl: '', token: '' }),
    logger: createLogger('test', { level: 'silent' }),
    now: () => state.nowMs,
  })
  const tick = async (nowMs: number) => {
    state.nowMs = nowMs
    await access.tick([[nodeWorkload('etl'), OWNER]])
    return applied.splice(0).length
  }
  return { access, applied, state, tick }
}

describe('credentials of a workload', () => {
  test('are written anew when two fifths of their life are over', async () => {
    const { access, tick } = keeping(1_000)
    await access.write(nodeWorkload('etl'), OWNER)
    expect([await tick(0), await tick(399), await tick(400), await tick(799)]).toEqual([1, 0, 1, 0])
  })
  test('that an earlier engine has written are written anew at once', async () => {
    const { tick } = keeping(1_000)
    expect([await tick(0), await tick(1)]).toEqual([1, 0])
  })
  test('without an end are written once', async () => {
    const { tick } = keeping(null)
    expect([await tick(0), await tick(1e12)]).toEqual([1, 0])
  })
  test('that could not be written are tried again after a while', async () => {
    const { state, tick } = keeping(1_000)
    state.broken = true
    expect(await tick(0)).toBe(0)
    state.broken = false
    expect([await tick(4_999), await tick(5_000)]).toEqual([0, 1])
  })
  test('are made for a few workloads at a time', async () => {
    const { access, applied } = keeping(1_000)
    const many = Array.from({ length: 20 }, (_, index) => ({
      ...entrypointWorkload(),
      id: `shop.v${index}.entrypoint`,
    }))
    await access.tick(many.map((workload) => [workload, OWNER] as const))
    expect(applied).toHaveLength(8)
    await access.tick(many.map((workload) => [workload, OWNER] as const))
    expect(applied).toHaveLength(16)
  })
})
