import { describe, expect, test } from '@jest/globals'
import type { V1ManagedFieldsEntry } from '@kubernetes/client-node'
import { fieldsOf, withoutField } from '../../testing/managed-fields.ts'
import { lostFields } from './lost-fields.ts'

const RENDERED = {
  metadata: { labels: { 'kre.dev/group': 'g' }, annotations: { any: 'thing' } },
  spec: {
    replicas: 2,
    paused: undefined,
    ingress: [],
    selector: { matchLabels: { a: 'b' } },
    template: {
      spec: {
        containers: [{ name: 'node', image: 'i', command: ['node', 'x'], env: [{ name: 'A' }] }],
      },
    },
  },
}

/** As an API server writes it: containers and their variables are known by their names, a selector is one thing. */
const OWNED = {
  'f:metadata': { 'f:labels': { 'f:kre.dev/group': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:selector': {},
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"node"}': {
            '.': {},
            'f:name': {},
            'f:image': {},
            'f:command': {},
            'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {} } },
          },
        },
      },
    },
  },
}

function managed(fieldsV1: object, overrides: object = {}): V1ManagedFieldsEntry[] {
  return [{ manager: 'kre', operation: 'Apply', fieldsV1, ...overrides }]
}
const without = (path: string) => managed(withoutField(OWNED, path))

describe('fields that are not ours any more', () => {
  test('are none as long as all that was written is ours', () => {
    expect(lostFields(RENDERED, managed(OWNED))).toEqual([])
  })
  test.each([
    ['metadata.labels.kre.dev/group', 'metadata.labels.kre.dev/group'],
    ['spec.replicas', 'spec.replicas'],
    ['spec.selector', 'spec.selector'],
    ['spec.template', 'spec.template'],
  ])('are found by their path: %s', (_name, path) => {
    const last = path.startsWith('metadata') ? 'f:kre.dev/group' : path
    const fields = path.startsWith('metadata')
      ? { ...OWNED, 'f:metadata': { 'f:labels': { [`not ${last}`]: {} } } }
      : withoutField(OWNED, path)
    expect(lostFields(RENDERED, managed(fields))).toEqual([path])
  })
  test('are found in the container that they are of', () => {
    const text = JSON.stringify(OWNED)
    const lost = (from: string, to: string) =>
      lostFields(RENDERED, managed(JSON.parse(text.replace(from, to)) as object))
    expect(lost('"f:image":{},', '')).toEqual(['spec.template.spec.containers[0].image'])
    expect(lost('k:{\\"name\\":\\"A\\"}', 'k:{\\"name\\":\\"B\\"}')).toEqual([
      'spec.template.spec.containers[0].env[0]',
    ])
  })
  test('may be in several entries of ours, and not in that of a subresource', () => {
    const rest = without('spec.replicas')
    const own = { 'f:spec': { 'f:replicas': {} } }
    const update = managed(own, { operation: 'Update' })
    expect(lostFields(RENDERED, [...rest, ...update])).toEqual([])
    const scaled = managed(own, { operation: 'Update', subresource: 'scale' })
    expect(lostFields(RENDERED, [...rest, ...scaled])).toEqual(['spec.replicas'])
    const other = managed(own, { manager: 'kubectl', operation: 'Update' })
    expect(lostFields(RENDERED, [...rest, ...other])).toEqual(['spec.replicas'])
  })
  test('are all of an object that somebody else has put in our place', () => {
    expect(lostFields(RENDERED, managed(OWNED, { manager: 'kubectl' }))).toEqual(['all'])
  })
  test.each([undefined, []])('are none where nobody says whose they are', (none) => {
    expect(lostFields(RENDERED, none)).toEqual([])
  })
  test('are none of what others have added', () => {
    const more = { ...RENDERED, spec: { replicas: 2 } }
    expect(lostFields(more, managed(fieldsOf({ ...RENDERED })))).toEqual([])
  })
})
