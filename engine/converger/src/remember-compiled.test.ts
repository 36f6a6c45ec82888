import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from '@jest/globals'
import { sampleFacts } from '@kre/contracts/testing'
import { compileVersion, type CompileOne, type CompileVersion } from './compile.ts'
import { rememberCompiled } from './remember-compiled.ts'
import { sampleSettings } from './testing/sample-settings.ts'

const version = (name: string, changes: Partial<CompileVersion> = {}): CompileVersion => ({
  name,
  id: `id of ${name}`,
  bundleDigest: 'digest',
  facts: sampleFacts(),
  config: [{ key: 'A', type: 'VARIABLE', value: '1' }],
  ...changes,
})

let now: number
let compiled: string[]
let remembered: CompileOne
beforeEach(() => {
  now = 0
  compiled = []
  const compile: CompileOne = (runtimeId, one, settings) => {
    compiled.push(`${runtimeId}/${one.name}`)
    return compileVersion(runtimeId, one, settings)
  }
  remembered = rememberCompiled(compile, () => now)
})

test('a version is compiled once for passes that follow each other, and gives the same', () => {
  const first = remembered('demo', version('v1'), sampleSettings)
  expect(first).toEqual(compileVersion('demo', version('v1'), sampleSettings))
  now += 9_000
  expect(remembered('demo', version('v1'), sampleSettings)).toBe(first)
  now += 9_000
  expect(remembered('demo', version('v1'), sampleSettings)).toBe(first)
  expect(compiled).toEqual(['demo/v1'])
})

test.each<[string, Partial<CompileVersion>]>([
  ['another version of the name', { id: 'other' }],
  ['another bundle', { bundleDigest: 'other' }],
  ['another value', { config: [{ key: 'A', type: 'VARIABLE', value: '2' }] }],
  ['another key', { config: [{ key: 'B', type: 'VARIABLE', value: '1' }] }],
  ['another type of value', { config: [{ key: 'A', type: 'FILE', value: '1' }] }],
  ['one value less', { config: [] }],
  ['a value that cannot be read any more', { unreadable: 'damaged' }],
])('%s is compiled', (_what, changes) => {
  remembered('demo', version('v1'), sampleSettings)
  const after = remembered('demo', version('v1', changes), sampleSettings)
  expect(after).toEqual(compileVersion('demo', version('v1', changes), sampleSettings))
  expect(compiled).toHaveLength(2)
})

test('with other settings, and in another runtime, it is compiled again', () => {
  remembered('demo', version('v1'), sampleSettings)
  remembered('demo', version('v1'), { ...sampleSettings, configKey: randomBytes(32) })
  remembered('other', version('v1'), sampleSettings)
  expect(compiled).toEqual(['demo/v1', 'demo/v1', 'other/v1'])
})

test('what nobody asks for is let go', () => {
  remembered('demo', version('v1'), sampleSettings)
  now += 10_001
  remembered('demo', version('v2'), sampleSettings)
  now -= 10_001
  remembered('demo', version('v1'), sampleSettings)
  expect(compiled).toEqual(['demo/v1', 'demo/v2', 'demo/v1'])
})
