import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { createContext } from '../context.ts'
import { createProgram } from '../program.ts'
import { writeCliReference } from './cli-reference.ts'

const root = resolve(import.meta.dirname, '../../../..')
const { stdin, stdout, stderr } = process

test('docs/cli.md tells the program as it is: npm run docs:cli', () => {
  const { signal } = new AbortController()
  const context = { root, cwd: root, environment: {}, stdin, stdout, stderr, signal }
  const page = writeCliReference(createProgram(createContext(context)))
  expect(readFileSync(join(root, 'docs/cli.md'), 'utf8')).toBe(page)
  expect(page).toContain('`krectl version start <version>`')
})
