import { describe, expect, test } from '@jest/globals'
import { RequestHeaders } from '../http2/request-headers.ts'
import { requestMetadata } from './request-metadata.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`
const metadata = (...pairs: string[]) => {
  const headers = new RequestHeaders()
  headers.pairs.push(...pairs)
  return requestMetadata(headers)
}

describe('requestMetadata', () => {
  test("takes the trace and KRE's own metadata along, and nothing else", () => {
    expect(
      metadata(
        'authorization',
        'Bearer x',
        'traceparent',
        TRACEPARENT,
        'tracestate',
        'a=1',
        'tracestate',
        'b=2',
        'x-krt-tenant',
        'acme',
      ),
    ).toEqual({ traceparent: TRACEPARENT, tracestate: 'a=1, b=2', 'x-krt-tenant': 'acme' })
  })

  test.each([
    'nonsense',
    '',
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `${TRACEPARENT}-more`,
    `${TRACEPARENT}, ${TRACEPARENT}`,
    TRACEPARENT.toUpperCase(),
  ])('drops the trace %p with its state', (traceparent) => {
    expect(
      metadata('traceparent', traceparent, 'tracestate', 'a=1', 'x-krt-tenant', 'acme'),
    ).toEqual({ 'x-krt-tenant': 'acme' })
  })

  test('understands later versions, and drops a state without a trace, or one that is too long', () => {
    const later = `cc-${TRACE}-${SPAN}-01-what-comes`
    expect(metadata('traceparent', later)).toEqual({ traceparent: later })
    expect(metadata('tracestate', 'a=1')).toEqual({})
    const long = `a=${'1'.repeat(511)}`
    expect(metadata('traceparent', TRACEPARENT, 'tracestate', long)).toEqual({
      traceparent: TRACEPARENT,
    })
  })
})
