import { describe, expect, test } from '@jest/globals'
import { parseConfig } from './config.ts'

describe('the configuration of the engine', () => {
  test('needs a data folder and has a default for everything else', () => {
    expect(parseConfig({ KRE_DATA: '/data' })).toMatchObject({
      dataDir: '/data',
      cacheDir: '/data/cache',
      adminPort: 4000,
      entrypointPort: 9000,
      engineAbsenceMs: 60_000,
      nodeMemoryBytesMax: null,
      logBounds: { ageMs: 7 * 86_400_000, bytesMax: 1024 ** 3 },
      logLevel: 'info',
    })
  })

  test('keeps the address of MongoDB from what the engine starts', () => {
    expect(parseConfig({ KRE_DATA: '/data' }).mongodb).toBeNull()
    const uri = 'mongodb://user:secret@host/'
    const config = parseConfig({ KRE_DATA: '/data', KRE_MONGODB_URI: uri })
    expect(config.mongodb).toEqual({ uri, databasePrefix: '' })
    expect(JSON.stringify(config.environment)).not.toContain('secret')
  })

  test('names all problems at once', () => {
    const wrong = { KRE_ADMIN_PORT: '70000', KRE_DRAIN_MS: '-1', KRE_LOG_LEVEL: 'loud' }
    expect(() => parseConfig(wrong)).toThrow(
      /KRE_DATA: .*KRE_ADMIN_PORT: .*KRE_DRAIN_MS: .*KRE_LOG_LEVEL: /,
    )
  })

  test.each([
    ['KRE_ADMIN_PORT', '4000.5'],
    ['KRE_ENTRYPOINT_PORT', 'http'],
    ['KRE_PAYLOAD_BYTES_MAX', String(65 * 1024 * 1024)],
    ['KRE_NODE_MEMORY_BYTES_MAX', '1'],
    ['KRE_LOG_BYTES_MAX', '1000'],
    ['KRE_LOG_DAYS', '0'],
    ['KRE_AUDIT_DAYS', '29'],
  ])('refuses %s=%s', (name, value) => {
    expect(() => parseConfig({ KRE_DATA: '/data', [name]: value })).toThrow(name)
  })
})
