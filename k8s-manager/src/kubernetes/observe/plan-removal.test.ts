import { describe, expect, test } from '@jest/globals'
import { planRemoval, type RemovalFacts } from './plan-removal.ts'

type Facts = RemovalFacts['workloads'][number]
const node = (facts: Partial<Facts> = {}): Facts => ({
  name: 'node',
  role: 'node',
  isRemoving: true,
  replicas: 1,
  pods: 1,
  ...facts,
})
const entrypoint = (facts: Partial<Facts> = {}): Facts => ({
  ...node(),
  name: 'entrypoint',
  role: 'entrypoint',
  ...facts,
})

describe('removal', () => {
  test('leaves alone what is wanted', () => {
    expect(planRemoval({ workloads: [node({ isRemoving: false, replicas: 0, pods: 0 })] })).toEqual(
      {
        drain: [],
        remove: [],
        removesGroup: false,
      },
    )
  })
  test('drains the entrypoint, and its nodes only when it has no pods any more', () => {
    expect(planRemoval({ workloads: [node(), entrypoint()] }).drain).toEqual(['entrypoint'])
    const draining = entrypoint({ replicas: 0 })
    expect(planRemoval({ workloads: [node(), draining] }).drain).toEqual([])
    const ended = entrypoint({ replicas: 0, pods: 0 })
    expect(planRemoval({ workloads: [node(), ended] })).toEqual({
      drain: ['node'],
      remove: ['entrypoint'],
      removesGroup: false,
    })
  })
  test('does not wait for an entrypoint that is still wanted', () => {
    expect(planRemoval({ workloads: [node(), entrypoint({ isRemoving: false })] }).drain).toEqual([
      'node',
    ])
  })
  test('waits for the last pod before it deletes, and takes the group with the last workload', () => {
    expect(planRemoval({ workloads: [node({ replicas: 0 })] }).remove).toEqual([])
    expect(planRemoval({ workloads: [node({ replicas: 0, pods: 0 })] })).toEqual({
      drain: [],
      remove: ['node'],
      removesGroup: true,
    })
  })
  test('takes a group away that never got a workload', () => {
    expect(planRemoval({ workloads: [] }).removesGroup).toBe(true)
  })
})
