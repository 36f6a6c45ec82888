import { describe, expect, test } from '@jest/globals'
import { emptyRelease } from '@kre/contracts'
import { sampleFacts } from '@kre/contracts/testing'
import { compile } from './compile.ts'
import { sampleSettings } from './testing/sample-settings.ts'

function hashOf(value: string, configKey = sampleSettings.configKey): string | undefined {
  const facts = sampleFacts()
  facts.manifest.config.variables.push('PIN')
  const config = [{ key: 'PIN', type: 'VARIABLE' as const, value }]
  const release = {
    ...emptyRelease('demo', 'me', new Date(0)),
    running: [{ version: 'v1', configGeneration: 1 }],
  }
  const versions = [{ name: 'v1', id: 'id', bundleDigest: 'd', facts, config }]
  return compile('demo', release, versions, { ...sampleSettings, configKey }).workloads[0]?.specHash
}

describe('the hash of a spec', () => {
  test('changes with a value and is the same for the same one', () => {
    expect(hashOf('1234')).toBe(hashOf('1234'))
    expect(hashOf('1234')).not.toBe(hashOf('1235'))
  })

  test('can not be tried out by who has everything but the key', () => {
    expect(hashOf('1234', Buffer.alloc(32, 2))).not.toBe(hashOf('1234'))
  })
})
