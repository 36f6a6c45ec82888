import { describe, expect, test } from '@jest/globals'
import { parseEnvFile } from './parse-env-file.ts'

const values = (text: string) =>
  Object.fromEntries(parseEnvFile(text, 'x.env').map(({ key, value }) => [key, value]))

describe('a file of values', () => {
  test.each([
    ['A=1\nB=2', { A: '1', B: '2' }],
    ['\ufeffA=1\r\n# note\r\n\r\n  B = 2 \r\n', { A: '1', B: '2' }],
    ['export A=1', { A: '1' }],
    ['A=', { A: '' }],
    ['A=b=c', { A: 'b=c' }],
    ['A=$HOME `id` # not a comment', { A: '$HOME `id` # not a comment' }],
    [`A='it is \\n raw'`, { A: 'it is \\n raw' }],
    ['A="two\\nlines \\"quoted\\" \\\\ \\x"', { A: 'two\nlines "quoted" \\ x' }],
    ['', {}],
  ])('%j is read', (text, expected) => {
    expect(values(text)).toEqual(expected)
  })

  test.each([
    ['A=1\nhunter2', 'x.env:2: the line is not KEY=VALUE'],
    ['1A=hunter2', 'x.env:1: the line is not KEY=VALUE'],
    ['A=1\nA=hunter2', 'x.env:2: A is given twice'],
    ['A="hunter2', 'x.env:1: the quotes'],
    [`A='hunter2' x`, 'x.env:1: the quotes'],
  ])('%j is refused with its line, and its value not repeated', (text, reason) => {
    expect(() => parseEnvFile(text, 'x.env')).toThrow(reason)
    expect(() => parseEnvFile(text, 'x.env')).not.toThrow('hunter2')
  })
})
