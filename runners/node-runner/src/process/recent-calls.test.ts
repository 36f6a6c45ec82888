import { describe, expect, test } from '@jest/globals'
import { controlSubject, RequestSteps } from '@kre/contracts'
import type { CoreMessage } from '@kre/core-nats'
import { waitUntil } from '@kre/service-kit'
import type { NodeCall } from '../calls/node-call.ts'
import { createRecentCalls } from './recent-calls.ts'

const SECRET = 'a-secret-of-the-node'
const LAUNCH = {
  runtimeId: 'rt',
  version: 'v1',
  workflow: 'wf',
  node: 'a',
  config: { variables: { TOKEN: SECRET, STARS: '********' }, files: {} },
} as never

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
  const listeners = new Map<string, (message: CoreMessage) => void>()
  const calls = createRecentCalls(LAUNCH, {
    isUp: () => isUp,
    publish(subject, data) {
      subjects.add(subject)
      said.push(...RequestSteps.parse(JSON.parse(Buffer.from(data as Uint8Array).toString())).steps)
    },
    subscribe(subject, { onMessage }) {
      listeners.set(subject, onMessage)
      return { unsubscribe: () => undefined, drain: async () => undefined } as never
    },
  })
  const tell = (verb: 'kept' | 'sample', value: unknown) =>
    listeners.get(controlSubject(LAUNCH, verb))?.({
      data: Buffer.from(typeof value === 'string' ? value : String(JSON.stringify(value))),
    } as never)
  const want = (value: unknown) => tell('kept', value)
  return {
    calls,
    said,
    subjects,
    want: (...ids: string[]) => want({ requests: ids.map((id) => ({ id })) }),
    hear: want,
    callForSamples: (value: unknown = { forMs: 10_000 }) => tell('sample', value),
    keep: (id: string, workflow = 'wf') => want({ requests: [{ id, workflow, sampled: true }] }),
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

  describe('while somebody asks for samples', () => {
    const payload = (text: string) => ({
      typeUrl: 'type.googleapis.com/demo.Text',
      value: new TextEncoder().encode(text),
    })
    const withPayload = (requestId: string, text: string) => {
      const made = call(requestId, payload(text))
      return Object.assign(made, { payload: made.envelope })
    }
    const snippet = (text: string) => ({
      type: 'demo.Text',
      bytes: text.length,
      base64: Buffer.from(text).toString('base64'),
    })

    test('says what the sampled request brought, and the first thing that was sent', () => {
      const { calls, said, keep, callForSamples } = open()
      callForSamples()
      expect(calls.isSampling).toBe(true)
      const one = withPayload('r1', 'in')
      calls.sent(one, payload('out'))
      calls.sent(one, payload('more'))
      calls.handled(one, 1, true)
      calls.handled(withPayload('r2', 'not sampled'), 1, true)
      keep('r1')
      calls.handled(withPayload('r1', ''), 1, true)
      calls.stop()
      expect(said.map(({ input, output }) => [input, output])).toEqual([
        [snippet('in'), snippet('out')],
        [snippet(''), undefined],
      ])
    })

    test('hides values of the configuration, also one that is cut', () => {
      const { calls, said, keep, callForSamples } = open()
      callForSamples()
      calls.handled(withPayload('r1', `a ${SECRET} b ${SECRET}`), 1, true)
      const begun = 16_384 - 12
      calls.handled(withPayload('r1', `${'z'.repeat(begun)}${SECRET}`), 1, true)
      keep('r1')
      calls.stop()
      const texts = said.map(({ input }) => Buffer.from(input?.base64 ?? '', 'base64').toString())
      const stars = '*'.repeat(SECRET.length)
      expect(texts).toEqual([`a ${stars} b ${stars}`, `${'z'.repeat(begun)}${'*'.repeat(12)}`])
    })

    test('cuts what is large, and forgets what is old', () => {
      const { calls, said, keep, callForSamples } = open()
      callForSamples()
      calls.handled(withPayload('old', 'x'), 1, true)
      for (let i = 0; i < 300; i++) calls.handled(withPayload(`${i}`, 'y'.repeat(50_000)), 1, true)
      keep('old')
      calls.stop()
      expect(said).toEqual([expect.not.objectContaining({ input: expect.anything() })])
      const again = open()
      again.callForSamples()
      again.calls.handled(withPayload('large', 'z'.repeat(50_000)), 1, true)
      again.keep('large')
      again.calls.stop()
      expect(again.said[0]?.input).toEqual({
        type: 'demo.Text',
        bytes: 50_000,
        base64: Buffer.from('z'.repeat(16_384)).toString('base64'),
      })
    })

    test('samples one request of a moment, in its own workflow, and a few of its messages', () => {
      const { calls, said, keep, callForSamples } = open()
      callForSamples()
      for (const id of ['other', 'first', 'second'])
        for (let i = 0; i < 20; i++) calls.handled(withPayload(id, `${id} ${i}`), 1, true)
      keep('other', 'another-workflow')
      keep('first')
      keep('second')
      calls.stop()
      const sampled = said.filter(({ input }) => input !== undefined)
      expect(sampled.map(({ requestId }) => requestId)).toEqual(Array(8).fill('first'))
      expect(said).toHaveLength(60)
    })

    test.each([{ forMs: 0 }, {}, 'no JSON', 'null', { forMs: 'long' }])(
      'ends with a call of %p',
      (value) => {
        const { calls, said, keep, callForSamples } = open()
        callForSamples()
        calls.handled(withPayload('r1', 'in'), 1, true)
        callForSamples(value)
        expect(calls.isSampling).toBe(false)
        keep('r1')
        calls.stop()
        expect(said).toEqual([expect.not.objectContaining({ input: expect.anything() })])
      },
    )
  })

  test('keeps nothing of messages while nobody asks for samples', () => {
    const { calls, said, keep } = open()
    expect(calls.isSampling).toBe(false)
    calls.handled(call('r1'), 1, true)
    keep('r1')
    calls.stop()
    expect(said).toEqual([expect.not.objectContaining({ input: expect.anything() })])
  })
})
