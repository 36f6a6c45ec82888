import { expect, test } from '@jest/globals'
import type { Workload, WorkloadObservation } from '@kre/contracts'
import { createNodeSights } from './node-sights.ts'

const workload = (runtimeId: string, version: string, node: string): Workload =>
  ({
    id: `${runtimeId}.${version}.wf.${node}`,
    runtimeId,
    version,
    replicas: 2,
    spec: { kind: 'node', runtimeId, version, workflow: 'wf', node },
  }) as Partial<Workload> as Workload
const observed = ({ id }: Workload, states: readonly string[]): WorkloadObservation =>
  ({ id, replicas: states.map((state) => ({ state })) }) as unknown as WorkloadObservation

test('sights of one runtime change without those of others, and names that are gone are told', () => {
  const sights = createNodeSights()
  const [a, b] = [workload('x', 'v1', 'a'), workload('x', 'v1', 'b')]
  const other = workload('y', 'v1', 'a')
  expect(sights.put('x', [a, b], [observed(a, ['ready', 'starting'])])).toEqual([])
  expect(sights.put('y', [other], [])).toEqual([])
  expect(sights.find('x/v1/wf/a')).toMatchObject({ wanted: 2, ready: 1 })
  expect(sights.find('x/v1/wf/b')).toMatchObject({ ready: 0 })
  expect(sights.ofWorkflow('x/v1/wf')).toEqual(['x/v1/wf/a', 'x/v1/wf/b'])
  expect(sights.put('x', [b], [])).toEqual(['x/v1/wf/a'])
  expect(sights.ofWorkflow('x/v1/wf')).toEqual(['x/v1/wf/b'])
  expect(sights.put('x', [], [])).toEqual(['x/v1/wf/b'])
  expect(sights.ofWorkflow('x/v1/wf')).toEqual([])
  expect(sights.all().map(({ labels }) => labels.runtime)).toEqual(['y'])
})
