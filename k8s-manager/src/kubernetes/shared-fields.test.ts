import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { FIELD_MANAGER } from './manifests/identity.ts'
import { lostFields } from './observe/lost-fields.ts'
import { createSharedFields } from './shared-fields.ts'

const entry = (owner: string, time: string) => ({
  manager: FIELD_MANAGER,
  operation: 'Apply',
  apiVersion: 'apps/v1',
  time: new Date(time),
  fieldsV1: {
    'f:metadata': {
      'f:labels': { 'f:a': {} },
      'f:ownerReferences': { [`k:{"uid":"${owner}"}`]: {} },
    },
    'f:spec': { 'f:replicas': {} },
  },
})
const controller = { manager: 'controller', subresource: 'status', fieldsV1: { 'f:status': {} } }
const rendered = { metadata: { labels: { a: '1', b: '2' } }, spec: { replicas: 1, paused: true } }

test('objects of which the same is compared have one list together, whoever owns them and when they were written', () => {
  const share = createSharedFields()
  const first = share([entry('one', '2026-01-01'), controller])
  expect(share([entry('two', '2026-02-02'), controller])).toBe(first)
  expect(share([entry('one', '2026-01-01')])).not.toBe(first)
  expect(JSON.stringify(first)).not.toMatch(/uid|status|2026/)
})

test.each([
  ['own fields', [entry('one', '2026-01-01')]],
  ['own fields beside those of others', [entry('one', '2026-01-01'), controller]],
  ['fields of others alone', [controller]],
  ['own fields of a part of the object', [{ ...entry('one', '2026-01-01'), subresource: 'scale' }]],
  ['no fields', []],
  ['own fields without a set', [{ manager: FIELD_MANAGER, operation: 'Apply' }]],
])('%s are compared as they were', (_what, entries) => {
  expect(lostFields(rendered, createSharedFields()(entries))).toEqual(lostFields(rendered, entries))
})

test('what no object has any more is let go', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const share = createSharedFields()
  const weak = new WeakRef(share([entry('one', '2026-01-01')]))
  const isGone = async () => {
    collect()
    return weak.deref() === undefined
  }
  await waitUntil('the collection', isGone, { everyMs: 5 })
})
