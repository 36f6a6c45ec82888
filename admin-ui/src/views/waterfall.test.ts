import { describe, expect, test } from '@jest/globals'
import { waterfallOf, type KeptRequest } from './waterfall.ts'

const request = (steps: Partial<KeptRequest['steps'][number]>[]): KeptRequest => ({
  id: 'r',
  versionName: 'v',
  workflowId: 'wf',
  kept: 'sample',
  startDate: '2026-01-01T00:00:00.000Z',
  elapsedMs: 100,
  handlerMs: 60,
  overheadMs: 40,
  status: 'OK',
  message: '',
  attempts: 1,
  requestBytes: 10,
  steps: steps.map((step) => ({
    nodeId: 'wf.a',
    fromNodeId: 'entrypoint',
    arrivalDate: '2026-01-01T00:00:00.020Z',
    attempt: 1,
    transportMs: 10,
    queueMs: 5,
    handlerMs: 25,
    ok: true,
    bytes: 1,
    ...step,
  })),
})

describe('waterfallOf', () => {
  test('puts transport, queue and handler one after the other', () => {
    const { bars, wholeMs } = waterfallOf(request([{}]))
    expect(wholeMs).toBe(100)
    expect(bars[0]?.segments).toEqual([
      { kind: 'transport', from: 0.1, to: 0.2 },
      { kind: 'queue', from: 0.2, to: 0.25 },
      { kind: 'handler', from: 0.25, to: 0.5 },
    ])
  })

  test('reaches to what ends after the answer', () => {
    expect(waterfallOf(request([{ handlerMs: 175 }])).wholeMs).toBe(200)
  })

  test('begins where the request does, whatever the clocks say', () => {
    const early = request([{ arrivalDate: '2025-12-31T23:59:59.990Z', transportMs: null }])
    expect(waterfallOf(early).bars[0]?.segments[0]).toMatchObject({ kind: 'queue', from: 0 })
  })

  test('of a request without steps and time is finite', () => {
    expect(waterfallOf({ ...request([]), elapsedMs: 0 })).toMatchObject({ bars: [] })
  })
})
