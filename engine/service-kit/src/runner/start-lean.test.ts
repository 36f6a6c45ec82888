import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from '@jest/globals'

const run = promisify(execFile)
const startLean = pathToFileURL(join(import.meta.dirname, 'start-lean.ts')).href
/** Says its pid before and after, and whether Node's compiler is there after. */
const PROGRAM = `
import { startLean } from ${JSON.stringify(startLean)}
const say = (what: string) => console.log(what, process.pid, ...process.argv.slice(2))
say('before')
const stop: AbortController = new AbortController()
if (process.env['STOPPED'] !== undefined) stop.abort()
await startLean(process.env, () => import('./later.ts'), stop.signal)
say('after')
console.log(process.moduleLoadList.some((name: string) => name.includes('amaro')) ? 'large' : 'lean')
`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kre-lean-'))
  await writeFile(join(folder, 'program.mts'), PROGRAM)
  await writeFile(join(folder, 'later.ts'), 'export const later: number = 1\n')
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

/** @returns the lines of one start, pids replaced by their order of appearance. */
async function start(environment: Record<string, string>): Promise<string[]> {
  const program = join(folder, 'program.mts')
  const { stdout } = await run(process.execPath, [program, 'argument'], {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
  })
  const pids: string[] = []
  return stdout
    .trim()
    .split('\n')
    .map((line) =>
      line.replace(/\d+/, (pid) => {
        if (!pids.includes(pid)) pids.push(pid)
        return String(pids.indexOf(pid))
      }),
    )
}

test('the first start replaces itself under its own pid, later ones find everything compiled', async () => {
  const environment = { NODE_COMPILE_CACHE: join(folder, 'cache') }
  expect(await start(environment)).toEqual([
    'before 0 argument',
    'before 0 argument',
    'after 0 argument',
    'lean',
  ])
  expect(await start(environment)).toEqual(['before 0 argument', 'after 0 argument', 'lean'])
})

test.each([
  ['no cache was chosen', () => ({})],
  ['it was asked to end', () => ({ NODE_COMPILE_CACHE: join(folder, 'cache'), STOPPED: '1' })],
  ['the cache is of no use', () => ({ NODE_COMPILE_CACHE: '/dev/null/cache' })],
])('a process goes on as it is when %s', async (_, environment) => {
  expect(await start(environment())).toEqual(['before 0 argument', 'after 0 argument', 'large'])
})
