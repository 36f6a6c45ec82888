import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import type { Context } from '../context.ts'
import { openEngineLog } from './engine-log.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'kre-log-'))
})
afterEach(() => rm(dataDir, { recursive: true }))

const failed = { level: 60, msg: 'port 8080 is taken' }
test.each([
  ['nothing', [], 'it said nothing'],
  ['its own words', [{ level: 30, msg: 'starting' }, failed], failed.msg],
  ['those of the shell', ['sh: node: not found'], 'sh: node: not found'],
  [
    'those of Node on an error that nobody caught',
    [
      'node:internal/modules/run_main:107',
      '    triggerUncaughtException(',
      '    ^',
      '',
      'TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument must be of type string',
      '    at open (node:internal/fs/promises:639:10) {',
      "  code: 'ERR_INVALID_ARG_TYPE'",
      '}',
      '',
      'Node.js v24.21.0',
    ],
    'TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument must be of type string',
  ],
  [
    'those of Node without memory',
    [
      '<--- Last few GCs --->',
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      '----- Native stack trace -----',
      ' 1: 0xe13fde node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]',
    ],
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  ],
])('of an engine that ended the reason is told: %s', async (_what, lines, reason) => {
  const log = await openEngineLog({
    dataDir,
    output: { step: () => undefined },
  } as unknown as Context)
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
  await appendFile(log.path, text.map((line) => `${line}\n`).join(''))
  await log.showProgress()
  expect(log.lastError()).toBe(reason)
})
