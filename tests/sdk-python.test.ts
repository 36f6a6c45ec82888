/** Runs the Python SDK's own tests, which are unittest's, with the project's Python and a pinned protobuf. */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import { MINUTE_MS } from '@kre/contracts'
import { preparePython } from '@kre/service-kit/testing'

const root = resolve(import.meta.dirname, '..')

const python = preparePython()
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
