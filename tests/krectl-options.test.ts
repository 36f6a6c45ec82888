/** Every verb of krectl, and every option of each, is run by some test. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { commandTree, type TreeCommand } from '../engine/krectl/src/completion/command-tree.ts'
import { createContext } from '../engine/krectl/src/context.ts'
import { createProgram } from '../engine/krectl/src/program.ts'
import { root } from './support/kre.ts'

/** Where verbs are run: in words of their own, or as one line. */
const FOLDERS = ['tests', 'engine/krectl/src', 'engine/admin-api/src', 'examples']
/** No test can run these, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  test: 'runs all tests',
  'cluster up': 'needs a cluster: tests/cluster',
  'cluster down': 'needs a cluster: tests/cluster',
  'cluster helm': 'builds Helm: tests/chart',
}
/** What follows a verb in its call, in characters. */
const CALL_CHARS_MAX = 600

/** Another call begins. */
const nextCall = /\bkrectl\(|\.json[<(]|\.run\(|\n\s*(?:test|step|expect)\(|\n  ['"`]\w+(?: \w+)+/
const tree = readTree()
const leaves = tree.filter(({ commands, path }) => commands.length === 0 && path !== '')
/** Of all verbs; each is run with one of them. */
const everywhere = (tree.find(({ path }) => path === '')?.options ?? []).map(({ flags }) => flags)
const texts = FOLDERS.flatMap(sourcesBelow).map((file) => readFileSync(join(root, file), 'utf8'))
const calls = new Map(leaves.map(({ path }) => [path, callsOf(path)]))

test.each(leaves.map(({ path, options }) => [path, options] as const))(
  'krectl %s is run by a test, with each of its options',
  (path, options) => {
    if (Object.hasOwn(NOT_RUN, path)) return
    const found = calls.get(path) ?? []
    expect(found.length).toBeGreaterThan(0)
    const missing = options
      .map(({ flags }) => flags)
      .filter((flags) => !everywhere.some((others) => others.at(-1) === flags.at(-1)))
      .filter((flags) => !flags.some((flag) => found.some((call) => isIn(flag, call))))
    expect(missing).toEqual([])
  },
)

test.each(everywhere.map((flags) => flags.join()))('krectl is run by a test with %s', (flags) => {
  const all = [...calls.values()].flat()
  expect(flags.split(',').filter((flag) => all.some((call) => isIn(flag, call)))).not.toEqual([])
})

function readTree(): TreeCommand[] {
  const { stdin, stdout, stderr } = process
  const { signal } = new AbortController()
  const context = { root, cwd: root, environment: {}, stdin, stdout, stderr, signal }
  return commandTree(createProgram(createContext(context)))
}

function sourcesBelow(folder: string): string[] {
  const isSource = /\.(?:test\.ts|test\.tsx)$|support\/.*\.ts$/
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isSource.test(join(entry.parentPath, entry.name)))
    .filter((entry) => !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((file) => file !== 'tests/krectl-options.test.ts')
}

/** What stands behind each `'version', 'create'` and `'version create …`, up to the next verb. */
function callsOf(path: string): string[] {
  const words = path.split(' ').join('(?:[\'"`],\\s*[\'"`]| )')
  // Tests have functions for the verbs of a noun: `krt('show', …)`.
  const [noun = '', ...verbs] = path.split(' ')
  const short = verbs.length === 0 ? '' : `|\\b${noun}\\(['"\`]${verbs.join(' ')}`
  const begin = new RegExp(`(?:(?:['"\`]|krectl )${words}${short})(?=['"\` ])`, 'g')
  return texts.flatMap((text) =>
    [...text.matchAll(begin)].map((match) => {
      const at = match.index + match[0].length
      const rest = text.slice(at, at + CALL_CHARS_MAX)
      const next = rest.search(nextCall)
      return next < 0 ? rest : rest.slice(0, next)
    }),
  )
}

function isIn(flag: string, call: string): boolean {
  return new RegExp(`['"\` ]${flag}(?=['"\` =\\n])`).test(call)
}
