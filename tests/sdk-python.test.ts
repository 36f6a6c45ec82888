/** Runs the Python SDK's own tests, which are unittest's, with the project's Python and a pinned protobuf. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { MINUTE_MS } from '@kre/contracts'

const root = resolve(import.meta.dirname, '..')
/** The last release for Python 3.9. */
const PROTOBUF = 'protobuf==6.33.6'

const python = preparePython(join(root, '.kre/cache/python-tests', PROTOBUF))
const run = 'reason' in python ? test.skip : test
const why = 'reason' in python ? ` (skipped: ${python.reason})` : ''

run(
  `the Python SDK passes its tests${why}`,
  () => {
    if ('reason' in python) return
    const { status, stderr, stdout } = spawnSync(python.executable, ['-m', 'unittest'], {
      cwd: join(root, 'runners/sdk-python'),
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      encoding: 'utf8',
      timeout: 4 * MINUTE_MS,
    })
    const output = `${stdout}${stderr}`
    expect({ status, output }).toEqual({
      status: 0,
      output: expect.stringMatching(/^Ran \d{2,} tests/m),
    })
  },
  5 * MINUTE_MS,
)

/** Makes a virtual environment with protobuf, once per pin. */
function preparePython(folder: string): { executable: string } | { reason: string } {
  const executable = join(folder, 'bin/python')
  const ready = join(folder, 'ready')
  if (existsSync(ready)) return { executable }
  mkdirSync(folder, { recursive: true })
  const steps: [what: string, command: string, args: string[]][] = [
    ['python3 with venv and pip is missing', 'python3', ['-m', 'venv', '--clear', folder]],
    [`${PROTOBUF} can't be installed`, executable, ['-m', 'pip', 'install', '--quiet', PROTOBUF]],
  ]
  for (const [what, command, args] of steps) {
    const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
    const detail = error?.message ?? stderr?.trim().split('\n').at(-1) ?? ''
    if (status !== 0) return { reason: `${what}: ${detail}` }
  }
  writeFileSync(ready, '')
  return { executable }
}
