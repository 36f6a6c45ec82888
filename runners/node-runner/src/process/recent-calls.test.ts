import { describe, expect, test } from '@jest/globals'
import { controlSubject, RequestSteps } from '@kre/contracts'
import type { CoreMessage } from '@kre/core-nats'
import { waitUntil } from '@kre/service-kit'
import type { NodeCall } from '../calls/node-call.ts'
import { createRecentCalls } from './recent-calls.ts'

const LAUNCH = { runtimeId: 'rt', version: 'v1', workflow: 'wf', node: 'a' } as never

const call = (requestId: string, changes: object = {}) =>
  ({
    attempt: 1,
    arrivedAt: 100,
    startedAt: 102.5,
    envelope: {
      requestId,
      fromNode: 'entrypoint',
      lineage: 0xab,
      sentUnixUs: 0,
      claim: null,
      value: new Uint8Array(7),
      ...changes,
    },
  }) as unknown as NodeCall

function open() {
  const said: RequestSteps['steps'] = []
  const subjects = new Set<string>()
  let isUp = true
  let hear: (message: CoreMessage) => void = () => undefined
  const calls = createRecentCalls(LAUNCH, {
    isUp: () => isUp,
    publish(subject, data) {
      subjects.add(subject)
      said.push(...RequestSteps.parse(JSON.parse(Buffer.from(data as Uint8Array).toString())).steps)
    },
    subscribe(subject, { onMessage }) {
      expect(subject).toBe(controlSubject(LAUNCH, 'kept'))
      hear = onMessage
      return { unsubscribe: () => undefined, drain: async () => undefined } as never
    },
  })
  const want = (value: unknown) =>
    hear({
      data: Buffer.from(typeof value === 'string' ? value : String(JSON.stringify(value))),
    } as never)
  return {
    calls,
    said,
    subjects,
    want: (...ids: string[]) => want({ requests: ids.map((id) => ({ id })) }),
    hear: want,
    away: () => (isUp = false),
  }
}

describe('createRecentCalls', () => {
  test('says what it knows of requests that are kept, and of those alone', async () => {
    const { calls, said, subjects, want } = open()
    calls.handled(call('r1'), 40, true)
    calls.handled(call('r2'), 41, true)
    calls.handled(call('r1', { lineage: 1, fromNode: 'b', claim: { size: 5e6 } }), 42, false)
    want('r1', 'unknown')
    await waitUntil('said', () => said.length > 0)
    expect([...subjects]).toEqual([controlSubject(LAUNCH, 'steps')])
    expect(said).toEqual([
      {
        requestId: 'r1',
        id: 'ab.1',
        fromNode: 'entrypoint',
        attempt: 1,
        arrivedUnixMs: expect.any(Number),
        transportMs: null,
        queueMs: 2.5,
        handlerMs: 40,
        ok: true,
        bytes: 7,
      },
      expect.objectContaining({ id: '1.1', fromNode: 'b', ok: false, bytes: 5e6 }),
    ])
    calls.stop()
  })

  test('says later calls of such a request, too', () => {
    const { calls, said, want } = open()
    want('r1')
    calls.handled(call('r1'), 1, true)
    calls.handled(call('r2'), 1, true)
    calls.stop()
    expect(said.map(({ requestId }) => requestId)).toEqual(['r1'])
  })

  test('remembers the last calls only', () => {
    const { calls, said, want } = open()
    for (let i = 0; i < 5_000; i++) calls.handled(call(`${i}`), 1, true)
    want('0', '903', '904', '4999')
    calls.stop()
    expect(said.map(({ requestId }) => requestId).toSorted()).toEqual(['4999', '904'])
  })

  test.each(['', 'no JSON', 'null', '{"requests":7}', '{"requests":[null,{"id":7},{"id":""}]}'])(
    'is not troubled by %p',
    (text) => {
      const { calls, said, hear } = open()
      calls.handled(call(''), 1, true)
      hear(text)
      calls.stop()
      expect(said).toEqual([])
    },
  )

  test('says nothing while the broker is away', () => {
    const { calls, said, want, away } = open()
    calls.handled(call('r1'), 1, true)
    away()
    want('r1')
    calls.stop()
    expect(said).toEqual([])
  })
})
