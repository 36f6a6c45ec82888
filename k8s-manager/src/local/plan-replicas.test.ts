import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { planReplicas, type ReplicaFacts } from './plan-replicas.ts'

const replica = (number: number, specHash: string, state = 'ready'): ReplicaFacts => ({
  number,
  specHash,
  ready: state === 'ready',
  stopping: state === 'stopping',
})
const plan = (replicas: ReplicaFacts[], replicasWanted: number, overlaps = true) =>
  planReplicas({ replicasWanted, specHash: 'new', replicas, overlaps })

describe('planReplicas', () => {
  test.each([
    ['starts all of a new workload at once', [], 3, { start: [0, 1, 2], stop: [] }],
    ['leaves what is right alone', [replica(0, 'new')], 1, { start: [], stop: [] }],
    ['fills the gap of a missing number', [replica(1, 'new')], 2, { start: [0], stop: [] }],
    [
      'scales down those first that are not ready',
      [replica(0, 'new', 'starting'), replica(1, 'new')],
      1,
      { start: [], stop: [0] },
    ],
    [
      'starts a newcomer beside the old one, under another number',
      [replica(0, 'old')],
      1,
      { start: [1], stop: [] },
    ],
    [
      'keeps the old one while the newcomer is not ready',
      [replica(0, 'old'), replica(1, 'new', 'starting')],
      1,
      { start: [], stop: [] },
    ],
    [
      'lets the old one go when the newcomer is ready',
      [replica(0, 'old'), replica(1, 'new')],
      1,
      { start: [], stop: [0] },
    ],
    [
      'rolls one at a time',
      [replica(0, 'old'), replica(1, 'old'), replica(2, 'new')],
      2,
      { start: [3], stop: [1] },
    ],
    [
      'ends old ones at once that serve nobody',
      [replica(0, 'old', 'starting')],
      1,
      { start: [1], stop: [0] },
    ],
    [
      'drains all of a workload that is not wanted',
      [replica(0, 'new'), replica(1, 'old')],
      0,
      { start: [], stop: [0, 1] },
    ],
    ['does not stop twice', [replica(0, 'new', 'stopping')], 0, { start: [], stop: [] }],
  ])('%s', (_name, replicas, wanted, expected) => {
    expect(plan(replicas, wanted)).toEqual(expected)
  })

  test('without overlap, ends the old one first and starts the newcomer when it is gone', () => {
    expect(plan([replica(0, 'old')], 1, false)).toEqual({ start: [], stop: [0] })
    expect(plan([replica(0, 'old', 'stopping')], 1, false)).toEqual({ start: [], stop: [] })
    expect(plan([], 1, false)).toEqual({ start: [0], stop: [] })
  })

  test('from any state, reaches the wanted one and never drops below it in ready replicas', () => {
    const anyReplica = fc.record({
      specHash: fc.constantFrom('old', 'older', 'new'),
      state: fc.constantFrom('ready', 'starting', 'stopping'),
    })
    fc.assert(
      fc.property(
        fc.array(anyReplica, { maxLength: 6 }),
        fc.integer({ min: 0, max: 4 }),
        (seeds, wanted) => {
          let replicas = seeds.map(({ specHash, state }, number) =>
            replica(number, specHash, state),
          )
          const readyCount = () => replicas.filter((one) => one.ready).length
          const atLeast = Math.min(wanted, readyCount())
          for (let step = 0; step < 40; step++) {
            const { start, stop } = plan(replicas, wanted)
            const numbers = replicas.map((one) => one.number)
            expect(start.every((number) => !numbers.includes(number))).toBe(true)
            replicas = replicas
              .filter((one) => !stop.includes(one.number) && !one.stopping)
              .map((one) => ({ ...one, ready: true }))
              .concat(start.map((number) => replica(number, 'new', 'starting')))
            expect(readyCount()).toBeGreaterThanOrEqual(atLeast)
          }
          expect(replicas.map((one) => one.specHash)).toEqual(Array(wanted).fill('new'))
        },
      ),
    )
  })
})
