/** The rules of ARCHITECTURE.md about who may import whom, read from the package.json files and the sources. */
import { describe, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const SERVICES = [
  '@kre/admin-api',
  '@kre/converger',
  '@kre/mongo-writer',
  '@kre/nats-manager',
  '@kre/k8s-manager',
  '@kre/entrypoint',
  '@kre/node-runner',
]

/** Package -> packages of this repository it may depend on. */
const ALLOWED: Record<string, string[]> = {
  '@kre/contracts': [],
  '@kre/service-kit': ['@kre/contracts'],
  '@kre/bundle': ['@kre/contracts'],
  '@kre/store': ['@kre/contracts', '@kre/service-kit'],
  '@kre/wire': ['@kre/contracts'],
  '@kre/core-nats': ['@kre/contracts'],
  '@kre/sdk': [],
  '@kre/admin-api': ['@kre/contracts', '@kre/service-kit', '@kre/store', '@kre/bundle'],
  '@kre/converger': ['@kre/contracts', '@kre/service-kit', '@kre/store'],
  '@kre/mongo-writer': ['@kre/contracts', '@kre/service-kit', '@kre/store'],
  '@kre/nats-manager': ['@kre/contracts', '@kre/service-kit'],
  '@kre/k8s-manager': ['@kre/contracts', '@kre/service-kit', '@kre/core-nats', '@kre/bundle'],
  '@kre/entrypoint': ['@kre/contracts', '@kre/service-kit', '@kre/core-nats'],
  '@kre/node-runner': [
    '@kre/contracts',
    '@kre/service-kit',
    '@kre/core-nats',
    '@kre/wire',
    '@kre/sdk',
  ],
  '@kre/krectl': ['@kre/contracts', '@kre/service-kit', '@kre/bundle'],
  '@kre/admin-ui': ['@kre/contracts'],
  '@kre/all-in-one': [
    '@kre/contracts',
    '@kre/service-kit',
    '@kre/store',
    '@kre/bundle',
    ...SERVICES,
  ],
  // To fill a store with as much as takes hours by the API.
  '@kre/bench': ['@kre/contracts', '@kre/store'],
}

/** Packages from outside that only the named ones may use. */
const RESERVED: Record<string, string[]> = {
  '@kubernetes/client-node': ['@kre/k8s-manager'],
  mongodb: ['@kre/store'],
  // all-in-one: the lock on its data folder is SQLite's lock of a file, which dies with the process.
  'node:sqlite': ['@kre/store', '@kre/all-in-one'],
  // The UI's types are made with it; no browser gets it.
  graphql: ['@kre/admin-api', '@kre/admin-ui', '@kre/bench'],
  'graphql-yoga': ['@kre/admin-api'],
  'graphql-ws': ['@kre/admin-api', '@kre/admin-ui', '@kre/bench'],
  ws: ['@kre/admin-api', '@kre/bench'],
  tar: ['@kre/bundle'],
  protobufjs: ['@kre/bundle'],
  'onnxruntime-node': ['@kre/node-runner'],
}

type Package = { name: string; dir: string; dependencies: string[] }

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))
/** Written as somebody else would: examples, and what we are compared with. */
const isForeign = (file: string) => /^(?:examples|bench\/peers)\//.test(file)
const packages: Package[] = tracked
  .filter((file) => file.endsWith('package.json') && file !== 'package.json' && !isForeign(file))
  .map((file) => {
    const content = JSON.parse(readFileSync(join(root, file), 'utf8')) as {
      name: string
      dependencies?: Record<string, string>
    }
    return {
      name: content.name,
      dir: file.slice(0, -'/package.json'.length),
      dependencies: Object.keys(content.dependencies ?? {}),
    }
  })

const isTest = (file: string) =>
  /\.test\.ts$|\/testing\/|\/tests\/|-conformance\.ts$|-contract\.ts$/.test(file)
const sources = (dir: string) =>
  tracked.filter((file) => file.startsWith(`${dir}/`) && file.endsWith('.ts') && !isTest(file))
/** Specifiers of a file's value imports and re-exports; `import type` binds nobody at run time. */
const importsOf = (file: string) =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(
      /(?:^|\n)(?:import|export)(?!\s+type\b)\s+(?:[\w$*{}\s,]*?\sfrom\s+)?'([^'\n]+)'/g,
    ),
  ].map((match) => match[1] ?? '')
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

describe('the dependency table', () => {
  test('names every package', () => {
    expect(packages.map((p) => p.name).toSorted()).toEqual(Object.keys(ALLOWED).toSorted())
  })

  test.each(packages.map((p) => [p.name, p] as const))(
    '%s depends on what it may and on nothing else',
    (name, { dependencies }) => {
      const ours = dependencies.filter((dependency) => dependency.startsWith('@kre/'))
      expect(ours.filter((dependency) => !ALLOWED[name]?.includes(dependency))).toEqual([])
    },
  )

  test.each(packages.map((p) => [p.name, p] as const))(
    '%s imports only what its package.json names',
    (name, { dir, dependencies }) => {
      const foreign = sources(dir).flatMap((file) =>
        importsOf(file)
          .filter((specifier) => !specifier.startsWith('.') && !isBuiltin(specifier))
          .map(packageOf)
          .filter((dependency) => dependency !== name && !dependencies.includes(dependency))
          .map((dependency) => `${file}: ${dependency}`),
      )
      expect(foreign).toEqual([])
    },
  )

  test.each(Object.entries(RESERVED))('%s is used by %p alone', (dependency, owners) => {
    const users = packages.filter(({ dir }) =>
      sources(dir).some((file) =>
        importsOf(file).some(
          (specifier) => specifier === dependency || packageOf(specifier) === dependency,
        ),
      ),
    )
    expect(users.map((p) => p.name).filter((user) => !owners.includes(user))).toEqual([])
  })
})

describe('contracts', () => {
  test('run in a browser: nothing of Node is imported', () => {
    const builtins = sources('engine/contracts/src').flatMap((file) =>
      importsOf(file)
        .filter(isBuiltin)
        .map((specifier) => `${file}: ${specifier}`),
    )
    expect(builtins).toEqual([])
  })
})

describe('process.env', () => {
  test('is read in main.ts only', () => {
    const readers = packages
      .filter((p) => p.name !== '@kre/bench')
      .flatMap(({ dir }) => sources(dir))
      .filter(
        (file) =>
          !file.endsWith('/main.ts') &&
          /\bprocess\.env\b/.test(readFileSync(join(root, file), 'utf8')),
      )
    // A node's user code reads its own environment, so its runner is the one to write it.
    expect(readers.filter((file) => !file.startsWith('runners/node-runner/'))).toEqual([])
  })
})

describe('the repository', () => {
  test('names no registry host and no absolute path of a computer', () => {
    const offenders = tracked
      .filter((file) => /\.(ts|js|json|md|sh|py|ya?ml|toml)$|^\.npmrc$|^\.ci\//.test(file))
      .filter((file) =>
        /registry\.npmjs|proxy\.golang|pypi\.org|\/work\/|\/root\//.test(
          readFileSync(join(root, file), 'utf8'),
        ),
      )
    expect(offenders.filter((file) => file !== 'tests/architecture.test.ts')).toEqual([])
  })
})
