import { expect, test } from '@jest/globals'
import { endOfDay, selectActivities } from './activity-filters.ts'

test.each([
  ['2026-02-03T00:00:00Z', '2026-02-03T23:59:59.999Z'],
  ['2026-02-03T23:59:59.999Z', '2026-02-03T23:59:59.999Z'],
  ['2026-02-03', '2026-02-03T23:59:59.999Z'],
  ['2026-02-03T01:00:00+05:00', '2026-02-03T18:59:59.999Z'],
  ['2026-02-03T22:00:00-08:00', '2026-02-04T07:59:59.999Z'],
  ['2024-02-29t12:00:00z', '2024-02-29T23:59:59.999Z'],
])('the day of %s ends at %s', (text, end) => {
  expect(endOfDay(text).toISOString()).toBe(end)
})

test('no filter means all, and so do empty lists', () => {
  const nothing = { query: {}, after: null }
  expect(selectActivities({})).toEqual(nothing)
  expect(selectActivities({ userEmail: null, types: [], versionIds: null })).toEqual(nothing)
})

test('mails are compared in lower case; an empty one is nobody', () => {
  expect(selectActivities({ userEmail: ' Ada@KRE.io ' }).query.actor).toBe('ada@kre.io')
  expect(selectActivities({ userEmail: 'anonymous' }).query.actor).toBe('')
  expect(selectActivities({ userEmail: '' }).query.actor).not.toBe('')
})

test.each([
  [{ fromDate: 'yesterday' }, 'fromDate'],
  [{ toDate: '2026-02-03T00:00:00' }, 'toDate'],
  [{ toDate: '2026-13-03' }, 'toDate'],
  [{ lastId: '0' }, 'lastId'],
  [{ lastId: '1;DROP' }, 'lastId'],
  [{ lastId: '9'.repeat(30) }, 'lastId'],
  [{ types: ['NOTHING'] }, 'types'],
  [{ versionIds: ['x'.repeat(101)] }, 'versionIds'],
  [{ userEmail: { $gt: '' } }, 'userEmail'],
])('%j is refused', (filters, field) => {
  expect(() => selectActivities(filters)).toThrow(field)
})
