/** A bundle's life on an engine that keeps its data in MongoDB, which dies under load and comes back. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { waitUntil } from '@kre/service-kit'
import { startMongo, type TestMongo } from '@kre/store/testing/mongo'
import { connectForeign } from './support/grpc-client.ts'
import { createKre, type Kre, type Status } from './support/kre.ts'

const mongo = await startMongo()
if (mongo === null) describe.skip('an engine on MongoDB', () => undefined)
else describe(`an engine on MongoDB (${mongo.kind})`, () => engineOnMongo(mongo))

function engineOnMongo(server: TestMongo): void {
  /** Names that were greeted, each with an answer. */
  const greeted: string[] = []
  let kre: Kre
  const onMongo = () => kre.json('dev', '--detach', '--no-example', '--mongo', server.uri)

  beforeAll(async () => {
    kre = await createKre({ KRE_MONGODB_PREFIX: server.newPrefix() })
    await onMongo()
  })
  afterAll(async () => {
    await kre?.[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const address = async (): Promise<string> => {
    const { entrypointAddress } = await kre.json<{ entrypointAddress: string }>(
      'runtime',
      'show',
      'mine',
    )
    return entrypointAddress
  }
  const greetAll = async (entrypoint: string, names: readonly string[]): Promise<void> => {
    using client = await connectForeign(entrypoint, 'hello.Entrypoint', 'Greet')
    for (const name of names) {
      expect(await client.call({ name })).toEqual({ greeting: `Hello, ${name}!` })
      greeted.push(name)
    }
  }
  const loggedNames = async (): Promise<string[]> => {
    const { stdout } = await kre.run('version', 'logs', '-r', 'mine', 'hello-v1', '--limit', '1000')
    return [...stdout.matchAll(/greeting (\S+)/g)].map(([, name]) => name ?? '')
  }

  test('takes a bundle, starts and publishes it, and answers', async () => {
    const bundle = join(kre.dataDir, '..', 'hello')
    await kre.json('krt', 'init', bundle)
    await kre.json('runtime', 'create', 'mine')
    await kre.json('version', 'create', '-r', 'mine', bundle)
    await kre.json('version', 'start', '-r', 'mine', 'hello-v1')
    await kre.json('version', 'publish', '-r', 'mine', 'hello-v1')
    await greetAll(await address(), namesOf('before', 20))
    await waitUntil('the log lines', async () => (await loggedNames()).length === 20, LONG)
  })

  const when = server.kind === 'FerretDB' ? test : test.skip
  when('answers every call while the database is away, and loses no line of the log', async () => {
    const entrypoint = await address()
    await server.kill()
    await greetAll(entrypoint, namesOf('during', 50))
    const refused = await kre.run('version', 'list', '-r', 'mine')
    expect(refused.code).not.toBe(0)
    await server.restart()
    await greetAll(entrypoint, namesOf('after', 20))
    await waitUntil('all lines', async () => (await loggedNames()).length >= greeted.length, LONG)
    expect((await loggedNames()).toSorted()).toEqual(greeted.toSorted())
  })

  test('brings its versions back after a stop, and starts on no other store', async () => {
    await kre.json('stop')
    const other = await kre.run('dev', '--detach', '--no-example')
    expect(other).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('keeps its data in MongoDB'),
    })
    await onMongo()
    expect(await kre.json<Status>('version', 'list', '-r', 'mine')).toMatchObject([
      { name: 'hello-v1', status: 'PUBLISHED' },
    ])
    await greetAll(await address(), ['again'])
    await waitUntil(
      'its line of the log',
      async () => (await loggedNames()).includes('again'),
      LONG,
    )
    await kre.json('version', 'unpublish', '-r', 'mine', 'hello-v1')
    await kre.json('version', 'stop', '-r', 'mine', 'hello-v1')
  })
}

const LONG = { everyMs: 500 }

function namesOf(what: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${what}-${i}`)
}
