import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { entrypointWorkload, nodeWorkload } from '../../testing/workloads.ts'
import { kubernetesSettings } from '../../testing/kubernetes-settings.ts'
import { groupName, labelValue, workloadLabels } from './identity.ts'

const LEGAL = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/

describe('labelValue', () => {
  test('makes a legal value of any text, and leaves one that is legal as it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => {
        const value = labelValue(text)
        expect(value).toMatch(LEGAL)
        expect(value.length).toBeLessThanOrEqual(63)
        expect(labelValue(value)).toBe(value)
      }),
    )
  })
  test.each(['', 'v1', 'a'.repeat(63), 'A.b_c-1'])('leaves %j alone', (text) => {
    expect(labelValue(text)).toBe(text)
  })
  test('tells texts apart that have the same legal part', () => {
    expect(labelValue('my node')).not.toBe(labelValue('my  node'))
    expect(labelValue(`${'a'.repeat(70)}b`)).not.toBe(labelValue(`${'a'.repeat(70)}c`))
  })
})

describe('labels of a workload', () => {
  test("are the original's and our own", () => {
    expect(workloadLabels(nodeWorkload('etl'), kubernetesSettings())).toMatchObject({
      type: 'node',
      'runtime-id': 'shop',
      'version-name': 'v1',
      'node-name': 'etl',
      'node-id': 'etl',
      'app.kubernetes.io/name': 'kre-node',
      'app.kubernetes.io/part-of': 'kre',
      'app.kubernetes.io/managed-by': 'kre',
      'kre.dev/runtime': 'shop',
      'kre.dev/version': 'v1',
      'kre.dev/workflow': 'main',
      'kre.dev/node': 'etl',
      'kre.dev/installation': 'kre',
    })
    expect(workloadLabels(entrypointWorkload(), kubernetesSettings())).toMatchObject({
      type: 'entrypoint',
      'node-name': 'entrypoint',
      'node-id': 'entrypoint',
    })
  })
  test('can be more, and never others in place of ours', () => {
    const labels = { 'kre.dev/project': 'Shop of Ann', 'kre.dev/runtime': 'stolen' }
    expect(workloadLabels(nodeWorkload('etl'), kubernetesSettings({ labels }))).toMatchObject({
      'kre.dev/project': labelValue('Shop of Ann'),
      'kre.dev/runtime': 'shop',
    })
  })
})

test('a version and the runtime itself have groups of their own', () => {
  const of = (version: string | null) => groupName({ runtimeId: 'shop', version })
  expect(new Set([of(null), of('v1'), of('v2')]).size).toBe(3)
  expect(groupName({ runtimeId: 'a-b', version: 'c' })).not.toBe(
    groupName({ runtimeId: 'a', version: 'b-c' }),
  )
})
