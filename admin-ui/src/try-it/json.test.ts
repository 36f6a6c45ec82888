import { describe, expect, test } from '@jest/globals'
import { base64ToText, fromBase64, textToBase64, toBase64 } from './base64.ts'
import { formatJson, parseJson, withKey, type JsonObject } from './json.ts'
import { requestDraft } from './request-draft.ts'

describe('JSON of requests', () => {
  test('keeps integers that are too large for a number', () => {
    expect(
      parseJson('{"a": 9007199254740993, "b": 12, "c": 1.5, "d": "9007199254740993"}'),
    ).toEqual({
      a: '9007199254740993',
      b: 12,
      c: 1.5,
      d: '9007199254740993',
    })
  })

  test('sets and unsets keys in their place, whatever they are called', () => {
    const object = parseJson('{"a": 1, "__proto__": 2, "b": 3}') as JsonObject
    expect(formatJson(withKey(object, '__proto__', 4))).toBe(
      '{\n  "a": 1,\n  "__proto__": 4,\n  "b": 3\n}',
    )
    expect(withKey({ a: 1, b: 2 }, 'a', undefined)).toEqual({ b: 2 })
    expect(Object.keys(withKey({ a: 1 }, 'c', null))).toEqual(['a', 'c'])
  })
})

describe('requestDraft', () => {
  test('is one value in two forms', () => {
    const typed = requestDraft({}, 'json').withText('{"name": "Ada"}')
    expect([typed.value, typed.error]).toEqual([{ name: 'Ada' }, null])
    expect(typed.withValue({ name: 'Eve' }).text).toBe('{\n  "name": "Eve"\n}')
  })

  test('keeps the last value while the text is no JSON', () => {
    const broken = requestDraft({ name: 'Ada' }, 'json').withText('{"name": ')
    expect([broken.value, broken.text, broken.error]).toEqual([
      { name: 'Ada' },
      '{"name": ',
      expect.any(String),
    ])
    expect(broken.withText('{}').error).toBeNull()
  })
})

describe('base64', () => {
  test('holds all bytes, also many of them', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i % 256)
    expect(fromBase64(toBase64(bytes))).toEqual(bytes)
    expect(fromBase64('_-8')).toEqual(fromBase64('/+8='))
    expect(fromBase64('no base64!')).toBeNull()
  })

  test('is text where it is UTF-8', () => {
    expect(base64ToText(textToBase64('Grüße 🙂'))).toBe('Grüße 🙂')
    expect(base64ToText('/w==')).toBeNull()
  })
})
