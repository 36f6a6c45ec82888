import { describe, expect, test } from '@jest/globals'
import { profileMarkdown } from './profile-markdown.ts'
import { type CpuProfile, selfTimes } from './self-times.ts'

const ROOT = '/home/me/kre'
const frame = (functionName: string, url = '', lineNumber = 0) => ({
  functionName,
  url,
  lineNumber,
})
const FRAMES = [
  frame('(idle)'),
  frame('(garbage collector)'),
  frame('writev'),
  frame('publish', `file://${ROOT}/runners/core-nats/src/connection.ts`, 9),
  frame('', `file://${ROOT}/runners/entrypoint/src/http2/session.ts`),
  frame('route', `file://${ROOT}/runners/entrypoint/src/requests/slots.ts`),
  frame('emit', 'node:events', 4),
  frame('defaultHandler', 'file:///tmp/kre-bench-x/data/bundles/ab/echo.ts', 0),
]

/** One sample of each frame by its index, `micros` long. */
function profile(samples: readonly (readonly [index: number, micros: number])[]): CpuProfile {
  return {
    nodes: FRAMES.map((callFrame, id) => ({ id, callFrame })),
    samples: [...samples.map(([index]) => index), 0],
    timeDeltas: [0, ...samples.map(([, micros]) => micros)],
  }
}

describe('selfTimes', () => {
  test('adds up what each function took, most first, and leaves out waiting', () => {
    const found = selfTimes(
      profile([
        [3, 100],
        [0, 9_000],
        [2, 300],
        [3, 250],
      ]),
      ROOT,
    )
    expect(found).toEqual([
      { name: 'publish runners/core-nats/src/connection.ts:10', category: 'nats', micros: 350 },
      { name: 'writev', category: 'native', micros: 300 },
    ])
  })

  test('knows by the file what a function is for, and names no folder of the computer', () => {
    const found = selfTimes(profile(FRAMES.map((_, index) => [index, 10])), ROOT)
    expect(Object.fromEntries(found.map(({ name, category }) => [name, category]))).toEqual({
      '(garbage collector)': 'gc',
      writev: 'native',
      'publish runners/core-nats/src/connection.ts:10': 'nats',
      '(anonymous) runners/entrypoint/src/http2/session.ts:1': 'http2',
      'route runners/entrypoint/src/requests/slots.ts:1': 'requests',
      'emit node:events:5': 'node',
      'defaultHandler ab/echo.ts:1': 'handler',
    })
  })
})

describe('profileMarkdown', () => {
  test('gives microseconds per request by process and by function', () => {
    const entrypoint = selfTimes(
      profile([
        [3, 4_000],
        [2, 2_000],
      ]),
      ROOT,
    )
    const node = selfTimes(profile([[3, 1_000]]), ROOT)
    const text = profileMarkdown({
      suite: 'chains',
      caseName: 'chain3',
      requests: 100,
      processes: [
        { name: 'entrypoint', userMicros: 5_000, systemMicros: 2_500, selfTimes: entrypoint },
        { name: 'n1', userMicros: 800, systemMicros: 300, selfTimes: node },
      ],
    })
    expect(text).toContain('|  | entrypoint | n1 | all |')
    expect(text).toContain('| processor time | 75.0 | 11.0 | 86.0 |')
    expect(text).toContain('| of it in the kernel | 25.0 | 3.00 | 28.0 |')
    // Two thirds of 75 and all of 11: the profiler's shares of the kernel's time.
    expect(text).toContain('| nats | 50.0 | 11.0 | 61.0 |')
    expect(text).toContain('| native | 25.0 | 0.00 | 25.0 |')
    expect(text).toContain('| publish runners/core-nats/src/connection.ts:10 | nats | 61.0 |')
  })
})
