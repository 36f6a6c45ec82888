import { describe, expect, test } from '@jest/globals'
import { controlSubject, KeptRequests } from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { createFailure } from '../grpc/failure.ts'
import type { PendingRequest } from '../requests/pending-request.ts'
import { createRequestExamples } from './request-examples.ts'

const REF = { runtimeId: 'rt', version: 'v1' }
const request = (requestId: string, workflow: object = WORKFLOW, more: object = {}) =>
  ({
    requestId,
    method: { version: { ref: REF } },
    workflow,
    startedAt: performance.now(),
    handlerUs: 3_000,
    attempt: 1,
    message: new Uint8Array(5),
    stream: null,
    ...more,
  }) as unknown as PendingRequest
const WORKFLOW = { id: 'wf' }

function open() {
  const said: KeptRequests['requests'] = []
  const subjects = new Set<string>()
  const examples = createRequestExamples((subject, data) => {
    subjects.add(subject)
    said.push(...KeptRequests.parse(JSON.parse(Buffer.from(data).toString())).requests)
  })
  return { examples, said, subjects }
}

describe('createRequestExamples', () => {
  test('keeps every failure of a moment up to a bound, and the three slowest', () => {
    const { examples, said, subjects } = open()
    const failure = createFailure('internal', 'HANDLER', `${'x'.repeat(5_000)}`)
    for (let i = 0; i < 1_000; i++) examples.ended(request(`ok-${i}`), 1 + (i % 100) / 100, null)
    for (let i = 0; i < 30; i++) examples.ended(request(`bad-${i}`), 1, failure)
    examples.ended(request('slowest'), 50, null)
    examples.stop()
    expect([...subjects]).toEqual([controlSubject(REF, 'kept')])
    const of = (kept: string) => said.filter((one) => one.kept === kept).map(({ id }) => id)
    expect(of('failed')).toEqual(Array.from({ length: 20 }, (_, i) => `bad-${i}`))
    expect(of('slow')).toEqual(['slowest'])
    expect(of('sample')).toHaveLength(2)
    expect(said.find(({ id }) => id === 'bad-0')).toMatchObject({
      status: 'INTERNAL',
      message: 'x'.repeat(1_000),
      workflow: 'wf',
      elapsedMs: 1,
      handlerMs: 3,
      requestBytes: 5,
    })
  })

  test('says what happened in a quiet moment without being asked', async () => {
    const { examples, said } = open()
    examples.ended(request('only'), 5, null)
    await waitUntil('said', () => said.length === 1)
    examples.ended(request('next'), 5, null)
    await waitUntil('said again', () => said.length === 2)
    expect(said.map(({ id, kept }) => [id, kept])).toEqual([
      ['only', 'sample'],
      ['next', 'sample'],
    ])
    examples.stop()
  })

  test('marks one request a second as sampled, a failed one before others', () => {
    const { examples, said } = open()
    examples.ended(request('fine'), 5, null)
    examples.ended(request('failed'), 1, createFailure('internal', 'HANDLER', 'no'))
    examples.stop()
    examples.ended(request('soon after'), 5, null)
    examples.stop()
    expect(said.map(({ id, sampled }) => [id, sampled])).toEqual([
      ['failed', true],
      ['fine', undefined],
      ['soon after', undefined],
    ])
  })

  test('keeps streams that ended well as examples, whose time is up to their callers', () => {
    const { examples, said } = open()
    for (const [id, elapsedMs] of [
      ['short', 5],
      ['long', 60_000],
    ] as const)
      examples.ended(request(id, WORKFLOW, { stream: {} }), elapsedMs, null)
    examples.stop()
    expect(said.map(({ id, kept, handlerMs }) => [id, kept, handlerMs])).toEqual([
      ['short', 'sample', 3],
      ['long', 'sample', 3],
    ])
  })

  test('has a bound, however many versions come and go, and survives a broker that is away', () => {
    const examples = createRequestExamples(() => {
      throw new Error('away')
    })
    for (let i = 0; i < 1_000; i++) examples.ended(request(`${i}`, { id: 'wf' }), 1, null)
    expect(() => examples.stop()).not.toThrow()
  })
})
