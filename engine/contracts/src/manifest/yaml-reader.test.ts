import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { KiB } from '../units.ts'
import { parseManifest } from './parse-manifest.ts'
import { readEntrypointProto } from './read-entrypoint-proto.ts'
import { edit, GRAPH, verdict } from './testing/manifest-text.ts'

/** A manifest of exactly `bytes` bytes, padded with a comment. */
function padded(bytes: number): string {
  return `${GRAPH}#${'x'.repeat(bytes - GRAPH.length - 2)}\n`
}

describe('text that is refused before it is parsed', () => {
  test.each<[string, string, string]>([
    ['more than 256 KiB', padded(256 * KiB + 1), '1:1 error YAML_TOO_LARGE'],
    [
      'more than 256 KiB of wide characters',
      `#${'ä'.repeat(128 * KiB)}`,
      '1:1 error YAML_TOO_LARGE',
    ],
    ['more than 80,000 signs', `[${','.repeat(80_000)}`, '1:80001 error YAML_TOO_LARGE'],
    ['NUL', edit(GRAPH, ['demo', 'de\0mo']), '2:12 error YAML_ENCODING'],
    ['an escape character', edit(GRAPH, ['demo', 'de\u001bmo']), '2:12 error YAML_ENCODING'],
    ['UTF-16', Buffer.from(`\ufeff${GRAPH}`, 'utf16le').toString(), '1:1 error YAML_ENCODING'],
    ['UTF-16 without a mark', Buffer.from(GRAPH, 'utf16le').toString(), '1:1 error YAML_ENCODING'],
    [
      'Latin-1',
      Buffer.from(edit(GRAPH, ['demo.', 'démo.']), 'latin1').toString(),
      '3:17 error YAML_ENCODING',
    ],
    ['old Macintosh line ends', GRAPH.replaceAll('\n', '\r'), '1:15 error YAML_ENCODING'],
    ['a lone surrogate', edit(GRAPH, ['A demo', '\ud800']), '3:14 error YAML_ENCODING'],
  ])('%s', (_what, text, expected) => {
    expect(verdict(text)).toEqual([expected])
  })

  test('256 KiB are not too large', () => {
    expect(verdict(padded(256 * KiB))).toEqual([])
  })

  test.each(['[', '{', '- ', '? ', '{a: ', '[[', '- ? - '])('200 KB of %j', (text) => {
    expect(verdict(text.repeat(200_000 / text.length))).toEqual([
      expect.stringMatching(/^1:\d+ error YAML_DEPTH$/),
    ])
  })

  test('nesting by indentation, a level a line', () => {
    const deep = Array.from({ length: 600 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')
    expect(verdict(`${GRAPH}deep:\n${deep.replaceAll(/^/gm, ' ')}`)).toContain(
      '41:13 error YAML_DEPTH',
    )
  })
})

describe('text that is no YAML', () => {
  test.each<[string, string, RegExp]>([
    ['an open bracket', edit(GRAPH, ['[prepare]', '[prepare']), /^\d+:\d+ error YAML_SYNTAX$/],
    ['an open quote', edit(GRAPH, ['A demo.', '"A demo.']), /^\d+:\d+ error YAML_SYNTAX$/],
    ['a tab for indentation', edit(GRAPH, ['  proto', '\tproto']), /^5:1 error YAML_SYNTAX$/],
    ['a map inside a word', edit(GRAPH, ['A demo.', 'a: b: c']), /^3:\d+ error YAML_SYNTAX$/],
    ['wrong indentation', edit(GRAPH, ['  image', ' image']), /^6:\d+ error YAML_SYNTAX$/],
  ])('%s', (_what, text, expected) => {
    expect(verdict(text)[0]).toMatch(expected)
  })
})

describe('features of YAML that manifests do not use', () => {
  test('are all reported, and the rest is read on', () => {
    const text = edit(
      GRAPH,
      ['A demo.', '&d A demo.'],
      ['demo-v1', '!v demo-v1'],
      ['[prepare]', '[*d]'],
      ['      - name: reply', '      - <<: {gpu: true}\n        name: reply'],
      ['[score]', '[scor]'],
    )
    expect(verdict(text)).toEqual([
      '2:13 error YAML_FEATURE',
      '3:17 error YAML_FEATURE',
      '24:25 error YAML_FEATURE',
      '25:9 error YAML_FEATURE',
      '29:25 error SUBSCRIPTION_UNKNOWN',
    ])
  })

  test('an alias bomb costs nothing', () => {
    const bomb = Array.from(
      { length: 30 },
      (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`,
    ).join('')
    expect(
      new Set(verdict(`a0: &a0 x\n${bomb}${GRAPH}`).filter((line) => line.includes('FEATURE'))),
    ).toHaveProperty('size', 91)
  })

  test.each<[string, string]>([
    ['a key that is a list', '? [a]\n: b\n'],
    ['a key that is null', '~: b\n'],
    ['a key that is an alias', 'a: &x b\n*x : c\n'],
    ['a merge key', '<<: {a: b}\n'],
    ['a key with a tag', '!!str a: b\n'],
    ['a YAML 1.1 directive', '%YAML 1.1\n---\n'],
    ['an unknown directive', '%FOO bar\n---\n'],
  ])('%s', (_what, text) => {
    expect(verdict(text + GRAPH)).toContainEqual(expect.stringContaining('error YAML_FEATURE'))
  })

  test('escapes can not smuggle in what the file may not hold', () => {
    expect(verdict(edit(GRAPH, ['A demo.', '"a\\0b"']))).toEqual(['3:14 error FIELD_VALUE'])
    expect(verdict(edit(GRAPH, ['A demo.', '"a\\ud800b"']))).toEqual(['3:14 error FIELD_VALUE'])
  })
})

describe('the reader', () => {
  test('never throws, whatever the text, and always says why it refuses', () => {
    const fragment = fc.constantFrom(
      '\n',
      '  ',
      '- ',
      ': ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '!t ',
      '"',
      "'",
      '|\n',
      '>\n',
      '#',
      '%',
      '---\n',
      '...\n',
      ',',
      '<<',
      '\t',
      'nodes',
      'workflows',
      'name',
      '__proto__',
      '1',
      'null',
      '~',
    )
    const cut = fc.tuple(fc.nat(GRAPH.length), fc.nat(8), fc.array(fragment, { maxLength: 6 }))
    fc.assert(
      fc.property(fc.array(cut, { minLength: 1, maxLength: 4 }), (cuts) => {
        let text = GRAPH
        for (const [at, length, added] of cuts)
          text = text.slice(0, at) + added.join('') + text.slice(at + length)
        const result = parseManifest(text, { file: 'kre.yaml' })
        expect(result.ok).toBe(!result.issues.some((issue) => issue.level === 'error'))
        for (const issue of result.issues) {
          expect(issue.line).toBeGreaterThanOrEqual(1)
          expect(issue.line).toBeLessThanOrEqual(text.split('\n').length)
          expect(issue.column).toBeGreaterThanOrEqual(1)
        }
      }),
      { numRuns: 250 },
    )
  })
})

describe('readEntrypointProto', () => {
  test.each<[string, string, string | null]>([
    ['a manifest', GRAPH, 'public_input.proto'],
    ['a path in the form ./', edit(GRAPH, ['public', './public']), 'public_input.proto'],
    ['a manifest with other mistakes', edit(GRAPH, ['demo-v1', '012']), 'public_input.proto'],
    ['a number', edit(GRAPH, ['public_input.proto', '1']), null],
    ['text that is no YAML', '[', null],
    ['a list', '- a', null],
  ])('of %s', (_what, text, expected) => {
    expect(readEntrypointProto(text)).toBe(expected)
  })
})
