import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createKeyRing, makeMasterKey } from '@kre/service-kit/secrets'
import { sealStore } from '@kre/store'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  const opened = {
    ring: createKeyRing([makeMasterKey()]),
    source: 'the test',
    save: async () => undefined,
    reload: async () => undefined,
  }
  api = await startTestApi({
    keys: {
      status: () => ({ current: opened.ring.current.id, older: [], source: opened.source }),
      rotate: async () => (await sealStore(api.store, opened)).keys.rotate(),
    },
  })
})
afterEach(() => api[Symbol.asyncDispose]())

test('the keys are shown by their ids, and rotated by the owner alone', async () => {
  const before = await api.send('/api/v1/keys', { headers: api.asOwner })
  expect(JSON.parse(before.text)).toMatchObject({
    current: expect.stringMatching(/^[0-9a-f]{16}$/),
  })
  const rotated = await api.send('/api/v1/keys/rotate', { method: 'POST', headers: api.asOwner })
  expect(rotated.status).toBe(200)
  expect(JSON.parse(rotated.text)).toMatchObject({ older: [], rewrapped: 0 })
  const after = await api.send('/api/v1/keys', { headers: api.asOwner })
  expect(JSON.parse(after.text).current).not.toBe(JSON.parse(before.text).current)
})

test('nobody else sees or rotates them', async () => {
  const cookie = await api.signIn()
  const refused = await api.send('/api/v1/keys/rotate', { method: 'POST', headers: { cookie } })
  expect(refused.status).toBeGreaterThanOrEqual(401)
  for (const [method, path] of [
    ['GET', '/api/v1/keys'],
    ['POST', '/api/v1/keys/rotate'],
  ])
    expect((await api.send(path ?? '', { method })).status).toBe(401)
})
