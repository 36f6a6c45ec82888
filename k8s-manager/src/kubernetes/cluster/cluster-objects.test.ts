import { describe, expect, test } from '@jest/globals'
import { clusterObjects } from './cluster-objects.ts'
import type { Answer } from './open-cluster.ts'

const REF = { kind: 'ConfigMap', name: 'shop' } as const

/** Answers as Kubernetes 1.34 gives them. */
const objectsOf = (answer: Answer) =>
  clusterObjects({ request: async () => answer }, 'runners', new AbortController().signal)
const invalid = (message: string, details: object): Answer => ({
  status: 422,
  body: JSON.stringify({ kind: 'Status', reason: 'Invalid', code: 422, message, details }),
})

describe('whether an object is somebody else', () => {
  test.each([
    [{ status: 200, body: '{}' }, false],
    [{ status: 404, body: '{}' }, false],
    [invalid('the server rejected our request due to an error in our request', {}), true],
  ])('is told by the answer to a test of its label: %j', async (answer, isForeign) => {
    expect(await objectsOf(answer).isForeign(REF, 'kre')).toBe(isForeign)
  })

  test('is not told by a policy that refuses every change: its words are handed on', async () => {
    const message =
      "configmaps \"shop\" is forbidden: ValidatingAdmissionPolicy 'fridays' with binding 'fridays' denied request: no changes on Fridays"
    const answer = invalid(message, { name: 'shop', kind: 'configmaps', causes: [{ message }] })
    await expect(objectsOf(answer).isForeign(REF, 'kre')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('no changes on Fridays'),
    })
  })

  test.each([
    [502, 'unavailable'],
    [422, 'invalid-argument'],
  ])('is not told by a proxy: %i', async (status, code) => {
    const asking = objectsOf({ status, body: '<html>' }).isForeign(REF, 'kre')
    await expect(asking).rejects.toMatchObject({ code })
  })
})
