import { describe, expect, test } from '@jest/globals'
import { GiB, MiB, MINUTE_MS } from '@kre/contracts'
import { endingReason, overdueReason, tellingLines } from './ending-reason.ts'

describe('endingReason', () => {
  test('names the exit code and what the process said last', () => {
    const output =
      'loading\nError: model.bin is not a model\n    at load (src/etl.ts:3:9)\n\nNode.js v24.21.0\n'
    expect(endingReason({ kind: 'exit', code: 1 }, null, output, 'src/etl.ts')).toBe(
      'exited with code 1: loading\nError: model.bin is not a model',
    )
  })
  test('says so when there is nothing to say', () => {
    expect(endingReason({ kind: 'exit', code: 3 }, null, '', 'src/etl.ts')).toBe(
      'exited with code 3; it wrote nothing',
    )
  })
  test('names memory as the reason, with use and limit', () => {
    const cause = { kind: 'memory', usedBytes: 3 * GiB, limitBytes: 512 * MiB } as const
    expect(endingReason({ kind: 'signal', signal: 'SIGKILL' }, cause, '', 'src/etl.ts')).toMatch(
      /^OOMKilled: used 3072 MiB of 512 MiB; give/,
    )
  })
  test('knows the end of a JavaScript heap', () => {
    const output =
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
    expect(endingReason({ kind: 'signal', signal: 'SIGABRT' }, null, output, 'src/etl.ts')).toMatch(
      /^OOMKilled/,
    )
  })
  test('tells of a start that took too long how far it came, what it said and what to look for', () => {
    const killed = { kind: 'signal', signal: 'SIGKILL' } as const
    const silent = { kind: 'never-ready', afterMs: 20 * MINUTE_MS, stage: null } as const
    expect(endingReason(killed, silent, 'no connection', null)).toBe(
      'was not ready within 20 min, so it was killed: no connection',
    )
    const stage = { stage: 'load', beat: 1, line: 'reading rows' } as const
    const frozen = { kind: 'frozen', afterMs: 60_000, stage } as const
    expect(endingReason(killed, frozen, '', 'src/etl.ts')).toBe(
      'blocked its thread for 60 s while it started, so it was killed: src/etl.ts is still being loaded, its log ends with "reading rows"; look for an endless loop or a blocking call at its top level',
    )
  })
})

test('overdueReason says that it goes on, and how to give it more time', () => {
  const stage = { stage: 'init', beat: 60, line: '' } as const
  expect(overdueReason(60_000, stage, '', 'src/etl.ts')).toBe(
    'is not ready after 60 s: the init of src/etl.ts still runs, its log is empty; look for an endless loop or a blocking call in it. It goes on; a start that needs more time gets it with KRE_START_TIMEOUT_MS',
  )
  expect(overdueReason(60_000, null, '', null)).toMatch(
    /^is not ready after 60 s; it wrote nothing\./,
  )
})

describe('tellingLines', () => {
  test('reads warnings and errors of JSON logs and leaves out the rest', () => {
    const output = [
      '{"level":30,"msg":"ready"}',
      '{"level":50,"msg":"no connection","err":{"message":"refused"}}',
      '{"not":"a log"}',
      '{broken',
    ].join('\n')
    expect(tellingLines(output)).toBe('no connection: refused\n{"not":"a log"}\n{broken')
  })
  test('keeps the last five lines and a thousand characters', () => {
    const lines = Array.from({ length: 9 }, (_, index) => `line ${index}`)
    expect(tellingLines(lines.join('\n'))).toBe(lines.slice(4).join('\n'))
    expect(tellingLines('x'.repeat(5_000))).toHaveLength(1_000)
  })
})
