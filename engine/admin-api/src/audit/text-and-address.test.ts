import { describe, expect, test } from '@jest/globals'
import { bounded } from './bounded.ts'
import { createClientAddress } from './client-address.ts'
import { visibleText } from './visible-text.ts'

describe('visibleText', () => {
  test.each([
    ['plain', 'plain'],
    ['two\r\nlines', 'two\\u{d}\\u{a}lines'],
    ['\u001b[31mred\u0007', '\\u{1b}[31mred\\u{7}'],
    ['ab\u202Egnp.exe', 'ab\\u{202e}gnp.exe'],
    ['zero\u200Bwidth\uFEFF', 'zero\\u{200b}width\\u{feff}'],
    ['\u2028\u2029\u0085', '\\u{2028}\\u{2029}\\u{85}'],
    ['half \uD800 pair', 'half \\u{d800} pair'],
    ['ñ 日本 🎉', 'ñ 日本 🎉'],
  ])('%j reads as %s', (text, shown) => {
    expect(visibleText(text, 100)).toBe(shown)
  })

  test('is cut at its limit, whatever it is made of', () => {
    expect(visibleText('a'.repeat(10), 10)).toBe('a'.repeat(10))
    expect(visibleText('a'.repeat(11), 10)).toBe(`${'a'.repeat(9)}…`)
    for (const text of ['\0'.repeat(1e6), '🎉'.repeat(1e5), '\u202E🎉'.repeat(1e5)])
      expect(visibleText(text, 500).length).toBeLessThanOrEqual(500)
  })
})

describe('bounded', () => {
  test('keeps what is small as it is', () => {
    const value = { a: [1, true, null, 'x'], b: { c: { d: 'deep' } } }
    expect(bounded(value)).toEqual(value)
  })

  test('cuts what is long, wide or deep, and says so', () => {
    expect(bounded(Array.from({ length: 103 }, () => 1))).toEqual([
      ...Array.from({ length: 100 }, () => 1),
      '… 3 more',
    ])
    const wide = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`f${n}`, n]))
    expect(bounded(wide)).toMatchObject({ '…': '1 more' })
    expect(bounded([[[[['too deep']]]]])).toEqual([[[['…']]]])
    expect(bounded({ at: new Date(0), no: Number.NaN, fn: () => 1, 'a\nb': 1 })).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      no: 'NaN',
      fn: '<function>',
      'a\\u{a}b': 1,
    })
  })
})

describe('the address of a client', () => {
  const of = (trusted: string[], remote: string, forwardedFor?: string | string[]) =>
    createClientAddress(trusted)({ remote, forwardedFor })

  test.each([
    ['without a proxy the header says nothing', [], '1.2.3.4', '9.9.9.9', '1.2.3.4'],
    ['a stranger may claim what he likes', ['10.0.0.0/8'], '1.2.3.4', '9.9.9.9', '1.2.3.4'],
    ['a trusted proxy is believed', ['10.0.0.0/8'], '10.0.0.1', '9.9.9.9', '9.9.9.9'],
    ['only what the proxy added', ['10.0.0.0/8'], '10.0.0.1', '6.6.6.6, 9.9.9.9', '9.9.9.9'],
    ['proxies behind proxies', ['10.0.0.0/8'], '10.0.0.1', '6.6.6.6, 9.9.9.9, 10.0.0.2', '9.9.9.9'],
    ['no header', ['10.0.0.0/8'], '10.0.0.1', undefined, '10.0.0.1'],
    ['nonsense in the header', ['10.0.0.0/8'], '10.0.0.1', 'x\u0000, <script>', '10.0.0.1'],
    ['several headers', ['10.0.0.0/8'], '10.0.0.1', ['6.6.6.6', '9.9.9.9'], '9.9.9.9'],
    ['IPv4 inside IPv6', ['10.0.0.0/8'], '::ffff:10.0.0.1', '::ffff:9.9.9.9', '9.9.9.9'],
    ['IPv6', ['fd00::/8'], 'fd00::1', '2001:db8::7', '2001:db8::7'],
    ['one address', ['127.0.0.1'], '127.0.0.1', '9.9.9.9', '9.9.9.9'],
  ])('%s', (_what, trusted, remote, header, expected) => {
    expect(of(trusted, remote, header)).toBe(expected)
  })

  test.each([
    '',
    'proxy',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/x',
  ])('refuses the proxy %j', (entry) => {
    expect(() => createClientAddress([entry])).toThrow('no address and no network')
  })
})
