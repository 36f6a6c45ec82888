import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parseLockFile, productionTree, type Platform } from './lock-tree.ts'

const LINUX: Platform = { os: 'linux', cpu: 'x64' }
const root = resolve(import.meta.dirname, '../../../..')

const lockOf = (packages: Record<string, object>) =>
  parseLockFile(JSON.stringify({ lockfileVersion: 3, packages }))
const paths = (
  packages: Record<string, object>,
  platform: Platform = LINUX,
  omit: readonly string[] = [],
) => productionTree(lockOf(packages), ['app'], platform, new Set(omit)).map(({ path }) => path)

describe('what a workspace needs in production', () => {
  test('is what it names and what those name, by the nearest node_modules', () => {
    expect(
      paths({
        app: { dependencies: { a: '1', '@kre/lib': '*' }, devDependencies: { jest: '1' } },
        lib: { dependencies: { a: '2' } },
        'node_modules/@kre/lib': { resolved: 'lib', link: true },
        'node_modules/a': { version: '1.0.0', dependencies: { b: '1' } },
        'lib/node_modules/a': { version: '2.0.0', dependencies: { b: '1' } },
        'lib/node_modules/a/node_modules/b': { version: '2.0.0' },
        'node_modules/b': { version: '1.0.0' },
        'node_modules/jest': { version: '1.0.0', dev: true },
        'node_modules/unused': { version: '1.0.0' },
      }),
    ).toEqual([
      'app',
      'lib',
      'lib/node_modules/a',
      'lib/node_modules/a/node_modules/b',
      'node_modules/a',
      'node_modules/b',
    ])
  })

  test('ends where packages need each other', () => {
    expect(
      paths({
        app: { dependencies: { a: '1' } },
        'node_modules/a': { dependencies: { b: '1' } },
        'node_modules/b': { dependencies: { a: '1' } },
      }),
    ).toHaveLength(3)
  })

  test('holds the optional packages of the platform alone, and peers that are needed', () => {
    const packages = {
      app: {
        dependencies: { a: '1' },
        optionalDependencies: { arm: '1', intel: '1', musl: '1', nowhere: '1', notwin: '1' },
        peerDependencies: { peer: '1', maybe: '1' },
        peerDependenciesMeta: { maybe: { optional: true } },
      },
      'node_modules/a': {},
      'node_modules/arm': { os: ['linux'], cpu: ['arm64'] },
      'node_modules/intel': { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
      'node_modules/musl': { os: ['linux'], cpu: ['x64'], libc: ['musl'] },
      'node_modules/notwin': { os: ['!win32'] },
      'node_modules/peer': {},
      'node_modules/maybe': {},
    }
    const common = ['app', 'node_modules/a', 'node_modules/notwin', 'node_modules/peer']
    expect(paths(packages)).toEqual([...common, 'node_modules/intel'].toSorted())
    expect(paths(packages, { os: 'linux', cpu: 'arm64' })).toEqual(
      [...common, 'node_modules/arm'].toSorted(),
    )
  })

  test('is without what is left out, and what only that needs', () => {
    const packages = {
      app: { dependencies: { big: '1', a: '1' } },
      'node_modules/a': { dependencies: { shared: '1' } },
      'node_modules/big': { dependencies: { shared: '1', alone: '1' } },
      'node_modules/shared': {},
      'node_modules/alone': {},
    }
    expect(paths(packages, LINUX, ['big'])).toEqual([
      'app',
      'node_modules/a',
      'node_modules/shared',
    ])
  })

  test('is refused when the lock file has not all of it', () => {
    expect(() => paths({})).toThrow('no "app"')
    expect(() => paths({ app: { dependencies: { a: '1' } } })).toThrow('no "a", which "app" needs')
    expect(() => parseLockFile('{"lockfileVersion":1,"packages":{}}')).toThrow('version 3')
  })
})

test('the lock file of this repository gives a whole tree for every service', () => {
  const lock = parseLockFile(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const tree = productionTree(lock, ['engine/all-in-one'], LINUX)
  const names = tree.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['@kre/contracts', 'mongodb', 'zod']))
  for (const name of ['jest', 'typescript', 'playwright-core', 'vite', '@kre/krectl'])
    expect(names.filter((found) => found === name)).toEqual(
      name === 'typescript' ? expect.anything() : [],
    )
  for (const entry of tree.filter(({ isOurs }) => !isOurs)) {
    expect(entry.integrity).toMatch(/^sha512-/)
    expect(entry.version).toMatch(/^\d+\.\d+\.\d+/)
  }
})
