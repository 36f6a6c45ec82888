/** Whatever breaks behind the API: callers learn what to do, and no path, server or secret. */
import { expect, test } from '@jest/globals'
import { KreError, type ErrorCode } from '@kre/contracts'
import { startTestApi } from '../testing/start-test-api.ts'

const SECRET = 'canary-0f3a'
const PATH = '/srv/kre/kre.sqlite'

/** The API over a store whose list of runtimes fails so. */
async function answersFor(fault: () => unknown): Promise<{ text: string; log: string }> {
  await using real = await startTestApi()
  const runtimes = {
    ...real.store.runtimes,
    list: async () => {
      throw fault()
    },
  }
  await using api = await startTestApi({ store: { ...real.store, runtimes } })
  const { errors } = await api.graphql('{ runtimes { id } }')
  const page = await api.send('/', { headers: api.asOwner })
  return { text: JSON.stringify(errors) + page.text, log: api.logLines.join('\n') }
}

test.each<[string, () => unknown]>([
  ['a fault of a library', () => new Error(`ENOENT ${PATH} ${SECRET}`)],
  ['something that is no error', () => `${PATH} ${SECRET}`],
  ...(['internal', 'unavailable'] as ErrorCode[]).map((code): [string, () => unknown] => [
    `a fault of the engine: ${code}`,
    () =>
      new KreError(code, `${PATH} ${SECRET}`, { path: PATH, secret: SECRET }, { cause: SECRET }),
  ]),
])('%s is told by its request id alone', async (_, fault) => {
  const { text, log } = await answersFor(fault)
  expect(text).not.toContain(PATH)
  expect(text).not.toContain(SECRET)
  expect(text).toMatch(/"requestId":"[0-9a-f-]{36}"/)
  // Who runs the engine finds it.
  expect(log).toContain(SECRET)
})
