import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const source = pathToFileURL(join(import.meta.dirname, 'disable-core-dumps.ts')).href
/** In a process of its own, which says what a process that it starts would leave in a core dump. */
const PROGRAM = `
import { execFileSync } from 'node:child_process'
import { disableCoreDumps } from ${JSON.stringify(source)}
const warned = []
await disableCoreDumps({ warn: (_, text) => warned.push(text) })
const filter = execFileSync('/bin/cat', ['/proc/self/coredump_filter'], { encoding: 'utf8' })
console.log(JSON.stringify({ warned, filter: Number.parseInt(filter, 16) }))
`

const onLinux = process.platform === 'linux' ? test : test.skip
onLinux.each([
  ['with util-linux', process.env['PATH'] ?? ''],
  ['without it, as in the image', '/nowhere'],
])('no memory is in a core dump %s', async (_, path) => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', PROGRAM],
    { env: { PATH: path } },
  )
  expect(JSON.parse(stdout)).toEqual({ warned: [], filter: 0 })
})
