import { describe, expect, test } from '@jest/globals'
import type { WorkloadScaling } from '@kre/contracts'
import { planScale, type NodeLoad, type ScaleFacts, type ScaleHistory } from './plan-scale.ts'

const IDLE_MS = 60_000

function scaling(changes: Partial<WorkloadScaling> = {}): WorkloadScaling {
  const nodes = [{ node: 'a', targetInFlight: 2, targetQueueAgeMs: 1_000 }]
  return { min: 1, max: 10, idleMs: IDLE_MS, nodes, ...changes }
}
function facts(changes: Partial<ScaleFacts> = {}): ScaleFacts {
  const replicas = changes.replicas ?? 1
  return {
    now: 1_000_000,
    scaling: scaling(),
    replicas,
    ready: replicas,
    loads: [{ inFlight: 0, queueAgeMs: 0 }],
    isComplete: true,
    isActive: true,
    changedAt: 0,
    history: [],
    ...changes,
  }
}
const load = (inFlight: number, queueAgeMs = 0): NodeLoad[] => [{ inFlight, queueAgeMs }]
const next = (changes: Partial<ScaleFacts>) => planScale(facts(changes)).replicas

/** Looks once a second, at what `loadAt` says, as the loop does. */
function follow(
  seconds: number,
  loadAt: (second: number, replicas: number) => Partial<ScaleFacts>,
  start = 1,
  limits = scaling(),
): number[] {
  let replicas = start
  let changedAt = 0
  let history: ScaleHistory = []
  return Array.from({ length: seconds }, (_, second) => {
    const now = second * 1_000
    const seen = loadAt(second, replicas)
    const plan = planScale({
      ...facts({ replicas }),
      now,
      scaling: limits,
      changedAt,
      history,
      ...seen,
    })
    history = plan.history
    if (plan.replicas !== replicas) {
      changedAt = now
      history = []
    }
    replicas = plan.replicas
    return replicas
  })
}

describe('a workload with more load than its replicas are for', () => {
  test.each([
    ['as many as are enough', 3, 2],
    ['at most twice as many at once', 100, 2],
    ['none while they are enough', 2, 1],
  ])('gets %s', (_, inFlight, replicas) => {
    expect(next({ loads: load(inFlight) })).toBe(replicas)
  })

  test('has all it may have within seconds, in steps that show what they change', () => {
    const replicas = follow(12, () => ({ loads: load(1_000) }))
    expect(replicas).toEqual([1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8])
    expect(follow(20, () => ({ loads: load(1_000) })).at(-1)).toBe(10)
  })

  test('gets another one for messages that wait too long, and none while one is still coming', () => {
    const late = { replicas: 2, loads: load(4, 1_500) }
    expect(next(late)).toBe(3)
    expect(next({ ...late, ready: 1 })).toBe(2)
    expect(next({ ...late, loads: load(4, 900) })).toBe(2)
  })

  test('gets no more replicas than there are messages, however long they wait', () => {
    expect(next({ replicas: 4, loads: load(3, 60_000) })).toBe(4)
  })

  test('of several nodes has what the busiest one needs', () => {
    const nodes = [
      { node: 'a', targetInFlight: 1, targetQueueAgeMs: 1_000 },
      { node: 'b', targetInFlight: 4, targetQueueAgeMs: 1_000 },
    ]
    const loads = [...load(1), ...load(6)]
    expect(next({ scaling: scaling({ nodes }), loads })).toBe(2)
  })
})

describe('a workload with less load than its replicas are for', () => {
  test('keeps them until fewer were enough for the whole of its time', () => {
    const replicas = follow(70, () => ({ loads: load(3) }), 5)
    expect(replicas.slice(0, 60)).toEqual(Array(60).fill(5))
    expect(replicas.slice(60)).toEqual(Array(10).fill(2))
  })

  test('keeps what a peak within that time has needed', () => {
    const peak = (second: number) => ({ loads: load(second % 50 === 0 ? 8 : 1) })
    expect(new Set(follow(600, peak, 5))).toEqual(new Set([5, 4]))
  })

  test('keeps all of them while one of those that take messages is not heard of', () => {
    const deaf = () => ({ loads: load(0), isComplete: false, isActive: false })
    expect(new Set(follow(300, deaf, 3, scaling({ min: 0 })))).toEqual(new Set([3]))
  })

  test('keeps what has not come up yet, however long that takes', () => {
    const coming = (second: number) => ({ ready: second < 200 ? 0 : 1, isActive: false })
    const replicas = follow(300, coming, 1, scaling({ min: 0 }))
    expect(replicas.indexOf(0)).toBe(260)
  })

  test('begins to count anew when it is heard of again', () => {
    const replicas = follow(130, (second) => ({ isComplete: second >= 60 }), 3)
    expect(replicas.lastIndexOf(3)).toBe(119)
  })
})

describe('a workload that may sleep', () => {
  const idle = () => ({ isActive: false })
  const sleeper = scaling({ min: 0 })

  test('sleeps when nobody has asked for its time, and stays asleep', () => {
    const replicas = follow(100, idle, 1, sleeper)
    expect(replicas.indexOf(0)).toBe(60)
    expect(new Set(replicas.slice(60))).toEqual(new Set([0]))
  })

  test('stays awake for one request in its time, and for a handler that works on', () => {
    const now = (second: number) => ({ isActive: second % 59 === 0 })
    expect(new Set(follow(600, now, 1, sleeper))).toEqual(new Set([1]))
    expect(new Set(follow(600, () => ({ loads: load(1) }), 1, sleeper))).toEqual(new Set([1]))
  })

  test('is not woken by its load, of which there is none, but by a call', () => {
    expect(next({ replicas: 0, loads: load(0), scaling: sleeper })).toBe(0)
    expect(next({ replicas: 0, scaling: scaling({ min: 1 }) })).toBe(1)
  })
})

describe('whatever is seen', () => {
  const random = createRandom(7)
  const some = (max: number) => Math.floor(random() * (max + 1))
  const anyFacts = (): ScaleFacts => {
    const min = some(4)
    const replicas = some(12)
    return facts({
      scaling: scaling({ min, max: Math.max(1, min) + some(8), idleMs: 1_000 + some(90_000) }),
      replicas,
      ready: some(replicas),
      loads: load(some(40), some(5_000)),
      isComplete: random() < 0.8,
      isActive: random() < 0.5,
      changedAt: 1_000_000 - some(10_000),
      history: Array.from({ length: some(5) }, (_, index) => ({
        from: 900_000 + index * 20_000,
        replicas: some(12),
      })),
    })
  }
  const samples = Array.from({ length: 5_000 }, anyFacts)

  test('the manifest has the last word', () => {
    for (const one of samples) {
      const { replicas } = planScale(one)
      expect(replicas).toBeGreaterThanOrEqual(one.scaling.min)
      expect(replicas).toBeLessThanOrEqual(one.scaling.max)
    }
  })

  test('more load never means fewer replicas', () => {
    for (const one of samples) {
      const [{ inFlight, queueAgeMs } = { inFlight: 0, queueAgeMs: 0 }] = one.loads
      const loads = load(inFlight + some(20), queueAgeMs + some(2_000))
      expect(planScale({ ...one, loads }).replicas).toBeGreaterThanOrEqual(planScale(one).replicas)
    }
  })

  test('nothing is taken away that the limits allow while something is not heard of', () => {
    for (const one of samples.filter(({ isComplete }) => !isComplete)) {
      const allowed = Math.min(one.replicas, one.scaling.max)
      expect(planScale(one).replicas).toBeGreaterThanOrEqual(allowed)
    }
  })

  test('a constant load leads to one number and stays there', () => {
    for (let round = 0; round < 50; round++) {
      const limits = scaling({ min: some(2), max: 3 + some(7), idleMs: 1_000 + some(20_000) })
      const seen = { loads: load(some(30)) }
      const replicas = follow(120, () => seen, 1 + some(8), limits)
      expect(new Set(replicas.slice(60)).size).toBe(1)
      const changes = replicas.filter((one, index) => index > 0 && one !== replicas[index - 1])
      const isMonotone =
        changes.every((one, index) => index === 0 || one > (changes[index - 1] ?? 0)) ||
        changes.every((one, index) => index === 0 || one < (changes[index - 1] ?? 0))
      expect(isMonotone).toBe(true)
    }
  })

  test('requests that come as fast as three replicas handle them find at least three, and not many more for long', () => {
    // 14 a second that take 200 ms each: 2.8 replicas are always busy.
    let waiting = 0
    const limits = scaling({
      idleMs: 20_000,
      nodes: [{ node: 'a', targetInFlight: 1, targetQueueAgeMs: 1_000 }],
    })
    const replicas = follow(
      600,
      (_, now) => {
        const handled = Math.min(waiting + 14, now * 5)
        waiting = waiting + 14 - handled
        const inFlight = waiting + Math.min(now, handled / 5)
        return { loads: load(Math.ceil(inFlight), (waiting / (now * 5)) * 1_000) }
      },
      1,
      limits,
    )
    expect(Math.min(...replicas.slice(60))).toBe(3)
    expect(Math.max(...replicas.slice(60))).toBe(3)
  })

  test('a history is bounded, whatever its time', () => {
    let history: ScaleHistory = []
    for (let second = 0; second < 5_000; second++)
      ({ history } = planScale(
        facts({ now: second * 1_000, history, scaling: scaling({ idleMs: 3_600_000 }) }),
      ))
    expect(history.length).toBeLessThan(70)
  })
})

/** Equal numbers in every run. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
