import { describe, expect, test } from '@jest/globals'
import { RequestHeaders } from '../../http2/request-headers.ts'
import { inferenceHeaders, type Parameter } from './inference-headers.ts'

function headersOf(
  parameters: Record<string, Parameter>,
  given: Record<string, string> = {},
  id = '',
): Record<string, string | undefined> {
  const from = new RequestHeaders()
  for (const [name, value] of Object.entries(given)) from.pairs.push(name, value)
  const headers = inferenceHeaders(from, { id, parameters: new Map(Object.entries(parameters)) })
  const names = headers.pairs.filter((_, i) => i % 2 === 0)
  // The first of a name counts, and none that says something else may follow it.
  return Object.fromEntries(names.map((name) => [name, headers.get(name)]))
}

describe('parameters of an inference', () => {
  test('become metadata of their name', () => {
    expect(headersOf({ 'a.b-c_1': 'ä', n: 2n ** 63n, x: -0.5, f: false, empty: '' })).toEqual({
      'x-krt-param-a.b-c_1': 'ä',
      'x-krt-param-n': '9223372036854775808',
      'x-krt-param-x': '-0.5',
      'x-krt-param-f': 'false',
      'x-krt-param-empty': '',
    })
  })

  test.each<[string, Record<string, Parameter>]>([
    ['a name with a space', { 'a b': 1 }],
    ['a name with a line end', { 'a\r\nx-krt-priority: high': 1 }],
    ['a name with a colon', { 'a:b': 1 }],
    ['a name that is not ASCII', { ä: 1 }],
    ['no name', { '': 1 }],
    ['a long name', { ['a'.repeat(129)]: 1 }],
    ['a value with a line end', { a: 'x\r\nx-krt-tenant: other' }],
    ['a value with a NUL', { a: 'x\0' }],
    ['half a character', { a: '\ud800' }],
    ['more than metadata has room for', { a: 'x'.repeat(16_384) }],
    ['more than 128', Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`p${i}`, i]))],
  ])('%s is refused', (_what, parameters) => {
    expect(() => headersOf(parameters)).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    )
  })

  test('that say something else than a header are refused, as a gateway may have set it', () => {
    const given = { 'x-krt-param-a': '1', 'x-krt-priority': 'low' }
    expect(headersOf({ a: 1, priority: 'low' }, given)).toEqual(given)
    expect(() => headersOf({ a: 2 }, given)).toThrow('send one')
    expect(() => headersOf({ priority: 1 }, given)).toThrow('send one')
    expect(headersOf({ priority: 0 }, given)).toEqual(given)
  })

  test.each<[Parameter, string | undefined]>([
    ['high', 'high'],
    ['normal', 'normal'],
    ['low', 'low'],
    [1, 'high'],
    [1n, 'high'],
    [2n, 'normal'],
    [3, 'low'],
    [0n, undefined],
  ])('priority %p is %p', (priority, wanted) => {
    expect(headersOf({ priority })).toEqual(
      wanted === undefined ? {} : { 'x-krt-priority': wanted },
    )
  })

  test.each<Parameter>(['HIGH', '', '1', 4, -1, 1.5, NaN, true, 2n ** 64n])(
    'priority %p is refused',
    (priority) => {
      expect(() => headersOf({ priority })).toThrow('parameter "priority"')
    },
  )

  test('an idempotency key goes with the request', () => {
    expect(headersOf({ idempotency_key: 'order-7' })).toEqual({
      'x-krt-idempotency-key': 'order-7',
    })
    for (const idempotency_key of ['', 7, true, 'x'.repeat(257), 'a\nb'])
      expect(() => headersOf({ idempotency_key })).toThrow('parameter "idempotency_key"')
  })

  test.each<[Parameter, string, string]>([
    [50, '8S', '50m'],
    ['50', '8S', '50m'],
    [50n, '8S', '50m'],
    [9_000, '8S', '8S'],
    [0, '8S', '0m'],
    [2n ** 60n, '', '99999999m'],
    // What is no timeout is refused where all are.
    [50, 'soon', 'soon'],
  ])('timeout_ms %p and a deadline of %p are %p', (timeout_ms, given, wanted) => {
    const headers = headersOf({ timeout_ms }, given === '' ? {} : { 'grpc-timeout': given })
    expect(headers).toEqual({ 'grpc-timeout': wanted })
  })

  test.each<Parameter>(['', 'x', '-1', '1.5', '0x10', ' 5', -1, 1.5, NaN, Infinity, true, -1n])(
    'timeout_ms %p is refused',
    (timeout_ms) => {
      expect(() => headersOf({ timeout_ms })).toThrow('parameter "timeout_ms"')
    },
  )

  test('an id that is a uuid becomes the request id, before any other', () => {
    const id = '7f1e5b5c-3b4d-4c8e-9d4a-2c1f7e6a5b40'
    expect(headersOf({}, { 'x-request-id': 'other' }, id)).toEqual({ 'x-request-id': id })
    expect(headersOf({}, {}, 'mine')).toEqual({})
  })
})
