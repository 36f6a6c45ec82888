import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { controlSubject } from '@kre/contracts'
import { createLogger, createMetricsCollector } from '@kre/service-kit'
import { sampleRuntime, sampleVersion } from '@kre/store/testing'
import { sampleKeptRequest } from '../testing/sample-kept-request.ts'
import { startTestApi, type TestApi } from '../testing/start-test-api.ts'
import { openObserver } from './create-observer.ts'

const KEPT = controlSubject({ runtimeId: 'demo', version: 'v1' }, 'kept')

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
  await api.store.runtimes.create(sampleRuntime())
  await api.store.versions.create(sampleVersion('v1'))
})
afterAll(() => api[Symbol.asyncDispose]())

test('an observer ends while the store does not answer, and no engine waits for it', async () => {
  let asked = 0
  const silent = { ...api.store.requests, keep: async () => new Promise<void>(() => (asked += 1)) }
  const lines: string[] = []
  const observer = await openObserver({
    store: { ...api.store, requests: silent },
    collector: createMetricsCollector(Date.now),
    logger: createLogger('test', {
      level: 'warn',
      destination: { write: (line) => void lines.push(line) },
    }),
    logBounds: { ageMs: 1_000_000, bytesMax: 1_000_000 },
    publish: () => undefined,
    endMsMax: 50,
  })
  observer.kept(KEPT, Buffer.from(JSON.stringify({ requests: [sampleKeptRequest('r1')] })))
  await observer[Symbol.asyncDispose]()
  expect(asked).toBe(1)
  expect(lines.join('')).toContain('the store is slow')
})
