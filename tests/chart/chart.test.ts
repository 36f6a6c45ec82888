/**
 * What can be said of the Helm chart without Helm. `KRE_WRITE_DOCS=true npm test -- tests/chart/chart` writes what is
 * made of other files: README.md and the rules of the engine's Role.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { METRIC_HELP } from '../../engine/service-kit/src/metrics/metric-help.ts'
import { engineRole } from '../../k8s-manager/src/kubernetes/manifests/engine-role.ts'
import {
  CHART,
  readChartFile,
  readChartYaml,
  readTemplates,
  VARIANTS,
} from './support/chart-files.ts'
import { chartReadme, describeValues, leavesOf } from './support/describe-values.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const values = readChartFile('values.yaml')
const templates = readTemplates()
type JsonSchema = Exclude<Parameters<typeof z.fromJSONSchema>[0], boolean>
const schema = JSON.parse(readChartFile('values.schema.json')) as JsonSchema
const definitions = (schema.definitions ?? {}) as Readonly<Record<string, JsonSchema>>
const Values = z.fromJSONSchema(schema)

function expectFile(path: string, text: string): void {
  if (process.env['KRE_WRITE_DOCS'] === 'true') writeFileSync(join(CHART, path), text)
  expect(readChartFile(path)).toBe(text)
}

describe('the values', () => {
  test('are all described', () => {
    const described = new Set(describeValues(values).map(({ path }) => path))
    const lacking = leavesOf(parse(values)).filter(
      (path) =>
        !path.split('.').some((_, end, keys) => described.has(keys.slice(0, end + 1).join('.'))),
    )
    expect(lacking).toEqual([])
  })

  test('are in README.md as they are', () => {
    expectFile('README.md', chartReadme(readChartFile('README.intro.md'), values))
  })

  test('have a schema that knows each of them and nothing else', () => {
    const known = new Set(schemaPaths(schema))
    const there = leavesOf(parse(values))
    expect(there.filter((path) => !isKnown(path, known))).toEqual([])
    const unused = [...known].filter(
      (path) =>
        path !== 'global' && !there.some((one) => one === path || one.startsWith(`${path}.`)),
    )
    // Of a toleration, or of a peer: what items of lists have is no value of its own.
    expect(unused).toEqual(['versions.images.byName'].filter((path) => unused.includes(path)))
  })

  test('pass their schema, as the values files that everything is tried with do', () => {
    expect(Values.safeParse(parse(values)).error?.issues ?? []).toEqual([])
    for (const variant of VARIANTS)
      expect(
        Values.safeParse(readChartYaml(`ci/${variant}-values.yaml`)).error?.issues ?? [],
      ).toEqual([])
  })

  test.each([
    ['a misspelt name', { engine: { replica: 2 } }],
    ['a tag in place of a digest', { versions: { images: { python: { digest: 'latest' } } } }],
    ['a password in the address', { config: { admin: { frontendBaseURL: 'https://a:b@host' } } }],
    ['text in place of a number', { nats: { replicas: '3' } }],
    ['a name that no Secret can have', { config: { keys: { existingSecret: 'My Keys' } } }],
    ['too short a memory of who did what', { config: { auditDays: 7 } }],
  ])('are refused with %s', (_, wrong) => {
    expect(Values.safeParse(wrong).success).toBe(false)
  })

  test('hold no secret', () => {
    const secret = describeValues(values).filter(({ path }) =>
      /(?:password|token|pass|secret)$/i.test(path),
    )
    expect(secret.filter(({ value }) => typeof value === 'string' && value !== '')).toEqual([])
  })
})

describe('the templates', () => {
  test('name each value', () => {
    const text = [...templates.values()].join('\n')
    const leaves = describeValues(values).map(({ path }) => path)
    expect(leaves.filter((path) => !isNamed(path, text))).toEqual([])
  })

  test('set no variable that nothing reads', () => {
    const folders = [
      'engine/all-in-one/src',
      'engine/service-kit/src/nats-tls',
      'nats-manager/src/cluster',
    ]
    const files = folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder))
        .filter((name) => /(?<!\.test)\.ts$/.test(name))
        .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
    )
    const read = new Set(files.flatMap((text) => text.match(/\bKRE_[A-Z_]+\b/g) ?? []))
    const set = [...templates.values()].flatMap(
      (text) => text.match(/(?<=name: )KRE_[A-Z_]+/g) ?? [],
    )
    expect(set.length).toBeGreaterThan(20)
    expect(set.filter((name) => !read.has(name))).toEqual([])
  })

  test('alert by metrics that there are', () => {
    const rule = templates.get('engine/prometheus-rule.yaml') ?? ''
    const named = rule.match(/\bkre_[a-z_]+\b/g) ?? []
    const known = new Set(
      Object.keys(METRIC_HELP).flatMap((name) => [name, `${name}_bucket`, `${name}_count`]),
    )
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((name) => !known.has(name))).toEqual([])
  })

  test('make no namespace and nothing beyond one', () => {
    const kinds = [...templates.values()].flatMap((text) => text.match(/(?<=^kind: )\S+/gm) ?? [])
    for (const kind of [
      'Namespace',
      'ClusterRole',
      'ClusterRoleBinding',
      'CustomResourceDefinition',
    ])
      expect(kinds).not.toContain(kind)
  })

  test('give the engine the rights that its target needs, and no others', () => {
    const modes = ['service', 'ingress', 'gateway'] as const
    const rules = Object.fromEntries(
      modes.map((mode) => [mode, engineRole('any', 'kre', mode).rules]),
    )
    const comment =
      '# What the engine may do in the namespace of versions, by how runtimes are published. Made from `engineRole`.\n'
    expectFile(
      'files/engine-rules.yaml',
      comment + stringify(rules, { aliasDuplicateObjects: false }),
    )
  })
})

test('the chart has the version of the engine', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    version: string
  }
  expect(readChartYaml('Chart.yaml')).toMatchObject({ version, appVersion: version })
})

/** Paths of all values that a schema knows; what it says of items of lists is left out. */
function schemaPaths(node: JsonSchema, path = ''): string[] {
  const resolved = resolveRef(node)
  const properties = Object.entries(resolved.properties ?? {})
  if (properties.length === 0) return [path]
  return properties.flatMap(([key, one]) =>
    typeof one === 'boolean' ? [] : schemaPaths(one, path === '' ? key : `${path}.${key}`),
  )
}

function resolveRef(node: JsonSchema): JsonSchema {
  const name = /^#\/definitions\/(.+)$/.exec(node.$ref ?? '')?.[1]
  const found = name === undefined ? undefined : definitions[name]
  return found ?? node
}

/** Itself, or what it is part of: an object of which the schema says nothing more. */
function isKnown(path: string, known: ReadonlySet<string>): boolean {
  const keys = path.split('.')
  return keys.some((_, end) => known.has(keys.slice(0, end + 1).join('.')))
}

/** By its own name or its parent's, whose contents are handed on whole. */
function isNamed(path: string, text: string): boolean {
  const keys = path.split('.').slice(-2)
  return keys.some((key) => new RegExp(`[.$"]${key}\\b`).test(text))
}
