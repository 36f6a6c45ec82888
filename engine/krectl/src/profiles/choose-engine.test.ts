import { describe, expect, test } from '@jest/globals'
import { chooseEngine, type EngineOptions } from './choose-engine.ts'

const choose = (options: EngineOptions, environment: Record<string, string> = {}) =>
  chooseEngine(options, { cwd: '/here', environment, dataDir: '/checkout/.kre' })

describe('the engine of a command', () => {
  test.each<[string, EngineOptions, Record<string, string>, object]>([
    ['nothing is said', {}, {}, { kind: 'undecided', dataDir: '/checkout/.kre' }],
    ['empty variables are set', {}, { KRE_PROFILE: '', KRE_DATA: '' }, { kind: 'undecided' }],
    ['a folder is named', { data: 'x' }, {}, { kind: 'local', dataDir: '/here/x' }],
    ['a folder is set', {}, { KRE_DATA: '/d' }, { kind: 'local', dataDir: '/checkout/.kre' }],
    ['a profile is named', { profile: 'prod' }, {}, { kind: 'profile', name: 'prod' }],
    ['a profile is set', {}, { KRE_PROFILE: 'prod' }, { kind: 'profile', name: 'prod' }],
    ['both are set', {}, { KRE_PROFILE: 'p', KRE_DATA: '/d' }, { kind: 'profile', name: 'p' }],
    ['a folder beats the environment', { data: '/d' }, { KRE_PROFILE: 'p' }, { kind: 'local' }],
    ['the local one is named', { profile: 'local' }, { KRE_PROFILE: 'p' }, { kind: 'local' }],
    [
      'an address is named',
      { url: 'https://kre.example', tokenFile: 't', ca: '/c' },
      { KRE_PROFILE: 'p' },
      { kind: 'url', url: 'https://kre.example', tokenFile: '/here/t', ca: '/c' },
    ],
  ])('when %s', (_what, options, environment, expected) => {
    expect(choose(options, environment)).toMatchObject(expected)
  })

  test.each<[EngineOptions, string]>([
    [{ data: 'x', profile: 'y' }, '--data and --profile'],
    [{ data: 'x', profile: 'y', url: 'https://z' }, '--data and --profile and --url'],
    [{ tokenFile: 't' }, '--token-file go with --url'],
    [{ profile: 'p', ca: 'c', insecureHttp: true }, '--ca and --insecure-http go with --url'],
    [{ data: '' }, '--data needs a folder'],
  ])('%j is refused', (options, reason) => {
    expect(() => choose(options)).toThrow(reason)
  })
})
