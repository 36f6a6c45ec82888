import { describe, expect, test } from '@jest/globals'
import { sampleFacts } from '@kre/contracts/testing'
import { diffVersions, type ComparedVersion } from './diff-versions.ts'

const version = (change: (version: ComparedVersion) => void = () => undefined): ComparedVersion => {
  const facts = structuredClone(sampleFacts(undefined, 'v1'))
  const made = { facts, config: [] as { key: string; type: string; fingerprint: string | null }[] }
  change(made)
  return made
}

describe('diffVersions', () => {
  test('finds nothing between versions that differ in their names alone', () => {
    const renamed = version(({ facts }) => {
      facts.manifest.version = 'v2'
      facts.manifest.versionName = 'v2'
    })
    expect(diffVersions(version(), renamed)).toEqual([])
  })

  test('says which nodes came, went and changed, in the words of the manifest', () => {
    const changed = version(({ facts }) => {
      const [workflow] = facts.manifest.workflows
      const [first, second] = workflow?.nodes ?? []
      if (workflow === undefined || first === undefined || second === undefined)
        throw new Error('the sample has two nodes')
      first.replicas = 3
      first.resources.cpuMillis = { request: 250, limit: 500 }
      second.subscriptions = [{ from: 'a', channel: 'x', durability: 'durable' }]
      workflow.nodes.push({ ...structuredClone(second), id: 'c', name: 'c' })
      workflow.timeoutMs = 500
    })
    const differences = diffVersions(version(), changed)
    expect(differences).toMatchObject([
      { area: 'WORKFLOW', name: 'wf', change: 'CHANGED', fields: [{ name: 'timeoutMs' }] },
      {
        area: 'NODE',
        name: 'wf.a',
        change: 'CHANGED',
        fields: [
          { name: 'replicas', before: null, after: '3' },
          { name: 'resources.cpu.request', before: null, after: '250m' },
          { name: 'resources.cpu.limit', before: null, after: '500m' },
        ],
      },
      {
        area: 'NODE',
        name: 'wf.b',
        fields: [{ name: 'subscriptions', before: 'a', after: 'from: a.x durability: durable' }],
      },
      { area: 'NODE', name: 'wf.c', change: 'ADDED' },
    ])
    expect(diffVersions(changed, version()).at(-1)).toMatchObject({
      name: 'wf.c',
      change: 'REMOVED',
    })
  })

  test('tells values of the configuration apart by their fingerprints alone', () => {
    const before = version(({ config, facts }) => {
      facts.manifest.config.defaults = { LIMIT: '1' }
      ;(config as object[]).push(
        { key: 'SAME', type: 'VARIABLE', fingerprint: 'aaaaaaaa' },
        { key: 'OTHER', type: 'VARIABLE', fingerprint: 'bbbbbbbb' },
        { key: 'LIMIT', type: 'VARIABLE', fingerprint: null },
        { key: 'GONE', type: 'FILE', fingerprint: null },
      )
    })
    const after = version(({ config, facts }) => {
      facts.manifest.config.defaults = { LIMIT: '2' }
      ;(config as object[]).push(
        { key: 'SAME', type: 'VARIABLE', fingerprint: 'aaaaaaaa' },
        { key: 'OTHER', type: 'VARIABLE', fingerprint: 'cccccccc' },
        { key: 'LIMIT', type: 'VARIABLE', fingerprint: null },
      )
    })
    expect(diffVersions(before, after)).toEqual([
      {
        area: 'CONFIGURATION',
        name: 'OTHER',
        change: 'CHANGED',
        fields: [{ name: 'value', before: 'bbbbbbbb', after: 'cccccccc' }],
      },
      {
        area: 'CONFIGURATION',
        name: 'LIMIT',
        change: 'CHANGED',
        fields: [{ name: 'default', before: '1', after: '2' }],
      },
      {
        area: 'CONFIGURATION',
        name: 'GONE',
        change: 'REMOVED',
        fields: [{ name: 'kind', before: 'FILE', after: null }],
      },
    ])
  })

  test('compares rpcs, fields of messages by their numbers, and paths of files', () => {
    const before = version(({ facts }) => {
      facts.descriptorSet = descriptorSet([
        { number: 1, name: 'title', kind: 9 },
        { number: 2, name: 'size', kind: 5 },
      ])
      facts.files = ['kre.yaml', 'old.py']
    })
    const after = version(({ facts }) => {
      facts.descriptorSet = descriptorSet([
        { number: 1, name: 'title', kind: 9 },
        { number: 2, name: 'size', kind: 3 },
        { number: 3, name: 'tags', kind: 9, isRepeated: true },
      ])
      facts.files = ['kre.yaml', 'new.py']
      const [method] = facts.methods
      if (method !== undefined) method.serverStreaming = true
    })
    const differences = diffVersions(before, after)
    expect(differences.filter(({ area }) => area === 'RPC')).toMatchObject([
      { fields: [{ name: 'serverStreaming', before: null, after: 'true' }] },
    ])
    expect(differences.filter(({ area }) => area === 'MESSAGE')).toEqual([
      {
        area: 'MESSAGE',
        name: 'demo.Item',
        change: 'CHANGED',
        fields: [
          { name: '= 2', before: 'int32 size', after: 'int64 size' },
          { name: '= 3', before: null, after: 'repeated string tags' },
        ],
      },
    ])
    expect(differences.filter(({ area }) => area === 'FILE')).toEqual([
      { area: 'FILE', name: 'old.py', change: 'REMOVED', fields: [] },
      { area: 'FILE', name: 'new.py', change: 'ADDED', fields: [] },
    ])
  })
})

type Field = { number: number; name: string; kind: number; isRepeated?: boolean }

/** A FileDescriptorSet with one message `demo.Item`, written by hand. */
function descriptorSet(fields: readonly Field[]): string {
  const part = (number: number, bytes: readonly number[]) => [
    (number << 3) | 2,
    bytes.length,
    ...bytes,
  ]
  const text = (value: string) => [...Buffer.from(value)]
  const message = [
    ...part(1, text('Item')),
    ...fields.flatMap(({ number, name, kind, isRepeated = false }) =>
      part(2, [...part(1, text(name)), 0x18, number, 0x20, isRepeated ? 3 : 1, 0x28, kind]),
    ),
  ]
  const file = [...part(1, text('demo.proto')), ...part(2, text('demo')), ...part(4, message)]
  return Buffer.from(part(1, file)).toString('base64')
}
