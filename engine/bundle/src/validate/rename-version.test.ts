import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { renameVersion } from './rename-version.ts'

describe('renameVersion', () => {
  test.each([
    ['version: a # c\nb: 1\n', 'version: new # c\nb: 1\n'],
    ['# version: x\n"version": "a"\n', '# version: x\n"version": new\n'],
    ["nodes:\n  - version: inner\nversion: 'a'", 'nodes:\n  - version: inner\nversion: new'],
    ['{ version: a, b: 1 }\n', '{ version: new, b: 1 }\n'],
    ['version: |\n  a\nb: 1\n', 'version: new\nb: 1\n'],
    ['version:   a\r\nb: 1\r\n', 'version:   new\r\nb: 1\r\n'],
    ['\ufeffversion: a\n', '\ufeffversion: new\n'],
  ])('changes %j and nothing else', (text, expected) => {
    expect(renameVersion(text, 'new')).toBe(expected)
  })

  test.each(['- a\n', 'b: 1\n', '', 'version: [a]\n', 'version: {', '\t'])(
    'leaves %j as it is',
    (text) => {
      expect(renameVersion(text, 'new')).toBe(text)
    },
  )

  test.each(['1.0', 'true', 'a: b', 'x # y', '"', 'line\nbreak', ''])('quotes %j', (name) => {
    expect(parse(renameVersion('version: a\nb: 1\n', name))).toEqual({ version: name, b: 1 })
  })

  test('is done with 30,000 keys at once, and leaves text alone that no parser should be given', () => {
    const keys = Array.from({ length: 30_000 }, (_, i) => `k${i}:\n`).join('')
    expect(renameVersion(`version: a\n${keys}`, 'new')).toBe(`version: new\n${keys}`)
    const nested = Array.from({ length: 600 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')
    for (const text of [
      `version: a\nb: ${'['.repeat(50_000)}\n`,
      `version: a\n${nested}`,
      'a: "\0"',
    ])
      expect(renameVersion(text, 'new')).toMatch(/^version: (?:a|new)\n|^a: /)
  })

  test('fills in a value that is empty', () => {
    expect(parse(renameVersion('version:\nb: 1\n', 'new'))).toEqual({ version: 'new', b: 1 })
  })
})
