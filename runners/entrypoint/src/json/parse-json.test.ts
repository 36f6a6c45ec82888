import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseJson } from './parse-json.ts'

const parse = (text: string) => parseJson(Buffer.from(text))

describe('parseJson', () => {
  test('reads what JSON.parse reads, wherever no number is large', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), (text) => {
        const numbers = /\d{16}|[eE]/.test(text)
        if (!numbers) expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)))
      }),
    )
  })

  test('keeps every integer exact', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (integer) => {
        const [read] = parseJson(Buffer.from(`[${integer}]`), BigInt) as [number | bigint]
        expect(BigInt(read)).toBe(integer)
      }),
    )
  })

  test.each([
    ['1e300', 1e300],
    ['-1.5E+20', -1.5e20],
    ['12345678901234567.5', 12345678901234568],
    ['9007199254740993', '9007199254740993'],
    ['1e999', '1e999'],
  ])('reads %s as a number unless it would change', (source, value) => {
    expect(parse(`[${source}]`)).toEqual([value])
  })

  test('refuses what JSON.parse refuses, with an error that names the problem', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        if (!isJson) expect(() => parse(text)).toThrow('the body is not JSON')
      }),
    )
  })

  test.each(['{"a":1,"a":2}', '[{"x":{"a":1,"b":{},"\\u0061":2}}]', '{"":1,"":2}'])(
    'refuses a key twice: %s',
    (text) => {
      expect(() => parse(text)).toThrow('twice')
    },
  )

  test.each([
    '{"a":{"a":1},"b":{"a":2}}',
    '[{"a":1},{"a":1}]',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":["a","a"]}',
  ])('takes the same key in different places: %s', (text) => {
    expect(parse(text)).toEqual(JSON.parse(text))
  })

  test('leaves prototypes alone', () => {
    const value = parse('{"__proto__": {"polluted": true}}') as object
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})
