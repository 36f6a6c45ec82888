import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createContext } from '../context.ts'
import { krectl } from '../testing/krectl.ts'
import { runTests as runTestsIn } from './run-tests.ts'

const ROOT = new URL('../../../..', import.meta.url).pathname

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'run-tests-'))
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js')
  // Its output would be taken for that of these tests.
  const scripts = { test: `node ${jest}` }
  await writeFile(
    join(root, 'package.json'),
    JSON.stringify({ scripts, jest: { transform: {}, reporters: [] } }),
  )
  await project('passes', 'true')
})
afterEach(async () => rm(root, { recursive: true, force: true }))

/** @param isGood what the test expects to be true, in the language of the file. */
const project = (name: string, isGood: string) =>
  writeFile(
    join(root, `${name}.test.js`),
    `const { appendFileSync, readFileSync } = require('node:fs')
     test('${name}', () => {
       appendFileSync('${root}/ran', '${name} ')
       const runs = readFileSync('${root}/ran', 'utf8').split(' ').filter((one) => one === '${name}').length
       expect(${isGood}).toBe(true)
     })`,
  )

const runTests = (...words: string[]) =>
  krectl(['test', ...words, 'test.js'], { root, environment: { PATH: process.env.PATH ?? '' } })

test('a file that fails is run once more alone, and named', async () => {
  await project('busy', 'runs === 2')
  const { code, stderr } = await runTests()
  expect(stderr).toMatch(/alone:\n {2}busy\.test\.js/)
  expect(code).toBe(0)
})

test('a file that fails alone too fails the run', async () => {
  await project('broken', 'false')
  const { code, stderr } = await runTests()
  expect(stderr).toContain('krectl: tests: the 1 that failed, alone: failed')
  expect(stderr).not.toContain('passed')
  expect(code).toBe(1)
})

test('both tries are made by the program that runs tests elsewhere', async () => {
  await project('elsewhere', "runs === 2 && process.env.PLACE === 'elsewhere'")
  const stderr = new PassThrough().setEncoding('utf8')
  const context = createContext({
    root,
    cwd: root,
    environment: { PATH: process.env.PATH ?? '' },
    stdin: Readable.from(['']),
    stdout: new PassThrough(),
    stderr,
    signal: new AbortController().signal,
  })
  await runTestsIn(context, 'tests', ['elsewhere'], { inside: ['env', 'PLACE=elsewhere'] })
  expect(stderr.read()).toMatch(/alone:\n {2}elsewhere\.test\.js/)
})

test('an option that there is none of is said before anything runs; those of Jest stand behind --', async () => {
  const { code, stderr } = await runTests('--nonsense', '--json')
  expect(JSON.parse(stderr)).toEqual({
    error: { code: 'invalid-argument', message: "unknown option '--nonsense'", details: {} },
  })
  expect(code).toBe(2)
  expect((await runTests('passes', '--', '--bail')).code).toBe(0)
})
