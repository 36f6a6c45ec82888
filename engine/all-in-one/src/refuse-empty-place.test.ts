import { expect, test } from '@jest/globals'
import type { Store } from '@kre/store'
import { refuseEmptyPlace } from './refuse-empty-place.ts'

type Newest = Awaited<ReturnType<Store['audit']['newest']>>
const auditOf = (newest: Newest) => ({ newest: async () => newest })
const used = auditOf({} as NonNullable<Newest>)
const empty = auditOf(null)
const place = { path: '/data/store.json', before: '{"hosts":"a"}', now: '{"hosts":"b"}' }

test('an engine is refused whose databases are elsewhere by now, and empty', async () => {
  await expect(refuseEmptyPlace(empty, place)).rejects.toMatchObject({
    code: 'failed-precondition',
    message: expect.stringMatching(/was in \{"hosts":"a"\}, and \{"hosts":"b"\} is empty/),
  })
})

test.each([
  ['moved with its data', used, place],
  ['still empty where it was', empty, { ...place, now: place.before }],
])('an engine starts that is %s', async (_name, audit, where) => {
  await expect(refuseEmptyPlace(audit, where)).resolves.toBeUndefined()
})
