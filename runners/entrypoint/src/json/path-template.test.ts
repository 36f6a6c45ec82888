import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compareTemplates, matchPath, parsePathTemplate } from './path-template.ts'

/** `field=text` of each variable; null = another path. */
function match(template: string, path: string): string[] | null {
  const values = matchPath(parsePathTemplate(template), path)
  return values?.map(({ field, text }) => `${field.join('.')}=${text}`) ?? null
}

describe('a path template', () => {
  test.each<[string, string, string[] | null]>([
    ['/v1/a', '/v1/a', []],
    ['/v1/a', '/v1/a/', null],
    ['/v1/a', '/v1', null],
    ['/v1/{name}', '/v1/x', ['name=x']],
    ['/v1/{name}', '/v1/', null],
    ['/v1/{name}', '/v1/x/y', null],
    ['/v1/{name}', '/v1/a%2Fb%20c', ['name=a/b c']],
    ['/v1/{a.b}/{c}', '/v1/1/2', ['a.b=1', 'c=2']],
    ['/v1/{name=shelves/*}', '/v1/shelves/1', ['name=shelves/1']],
    ['/v1/{name=shelves/*}', '/v1/books/1', null],
    ['/v1/{name=shelves/*/books/*}:read', '/v1/shelves/1/books/2:read', ['name=shelves/1/books/2']],
    ['/v1/{name}:read', '/v1/x', null],
    ['/v1/{name=**}', '/v1/a/b/c', ['name=a/b/c']],
    ['/v1/{name=**}', '/v1', ['name=']],
    ['/v1/{name=a/**}', '/v1/a/b%2Fc%20d', ['name=a/b%2Fc d']],
    ['/v1/*/x', '/v1/y/x', []],
    ['/v1/a b', '/v1/a%20b', []],
  ])('%s and %s', (template, path, expected) => {
    expect(match(template, path)).toEqual(expected)
  })

  test.each([
    '',
    'v1',
    '/v1//x',
    '/v1/',
    '/{}',
    '/{a',
    '/a}',
    '/{a=}',
    '/{a=**}/x',
    '/x{a}',
    '/{a}{b}',
    '/{a-b}',
    `/${'x/'.repeat(99)}x`,
  ])('%s is refused', (template) => {
    expect(() => parsePathTemplate(template)).toThrow('path template')
  })

  test('is the more specific the later its first wildcard comes', () => {
    const sorted = ['/v1/{a=**}', '/v1/{a}', '/v1/{a}/x', '/v1/x', '/v1/x:do', '/v1/x/{a}']
      .map((text) => ({ text, template: parsePathTemplate(text) }))
      .sort((a, b) => compareTemplates(a.template, b.template))
      .map(({ text }) => text)
    expect(sorted).toEqual(['/v1/x:do', '/v1/x/{a}', '/v1/x', '/v1/{a}/x', '/v1/{a}', '/v1/{a=**}'])
  })

  test('takes any text in a variable and gives it back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (text) => {
        fc.pre(text.isWellFormed())
        expect(match('/v1/{name}', `/v1/${encodeURIComponent(text)}`)).toEqual([`name=${text}`])
      }),
    )
  })

  test('of any text is understood or refused, and any path fits it, does not, or has a wrong escape', () => {
    const piece = fc.constantFrom(...'/ { } = * ** : . a b1 % %2F %zz {a} {a.b=x/*}'.split(' '))
    const pieces = fc.array(piece, { maxLength: 12 }).map((all) => `/${all.join('')}`)
    fc.assert(
      fc.property(pieces, fc.oneof(pieces, fc.webPath()), (template, path) => {
        let parsed: ReturnType<typeof parsePathTemplate>
        try {
          parsed = parsePathTemplate(template)
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-argument' })
          return
        }
        try {
          const values = matchPath(parsed, path)
          if (values !== null) expect(values).toHaveLength(parsed.variables.length)
        } catch (error) {
          expect(error).toBeInstanceOf(URIError)
        }
        expect(compareTemplates(parsed, parsed)).toBe(0)
      }),
      { numRuns: 3_000 },
    )
  })
})
