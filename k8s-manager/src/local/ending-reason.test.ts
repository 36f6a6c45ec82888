import { describe, expect, test } from '@jest/globals'
import { GiB, MiB } from '@kre/contracts'
import { endingReason, tellingLines } from './ending-reason.ts'

describe('endingReason', () => {
  test('names the exit code and what the process said last', () => {
    const output =
      'loading\nError: model.bin is not a model\n    at load (src/etl.ts:3:9)\n\nNode.js v24.21.0\n'
    expect(endingReason({ kind: 'exit', code: 1 }, null, output)).toBe(
      'exited with code 1: loading\nError: model.bin is not a model',
    )
  })
  test('says so when there is nothing to say', () => {
    expect(endingReason({ kind: 'exit', code: 3 }, null, '')).toBe(
      'exited with code 3; it wrote nothing',
    )
  })
  test('names memory as the reason, with use and limit', () => {
    const cause = { kind: 'memory', usedBytes: 3 * GiB, limitBytes: 512 * MiB } as const
    expect(endingReason({ kind: 'signal', signal: 'SIGKILL' }, cause, '')).toMatch(
      /^OOMKilled: used 3072 MiB of 512 MiB; give/,
    )
  })
  test('knows the end of a JavaScript heap', () => {
    const output =
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'
    expect(endingReason({ kind: 'signal', signal: 'SIGABRT' }, null, output)).toMatch(/^OOMKilled/)
  })
  test('tells what a silent start may mean', () => {
    const cause = { kind: 'never-ready', afterMs: 60_000 } as const
    expect(endingReason({ kind: 'signal', signal: 'SIGKILL' }, cause, '')).toMatch(
      /^was not ready within 60 s.*init$/,
    )
  })
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
