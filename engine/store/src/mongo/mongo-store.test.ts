import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import type { KreError } from '@kre/contracts'
import {
  sampleDocument,
  sampleLog,
  sampleRuntime,
  sampleVersion,
} from '../testing/sample-records.ts'
import { startMongo, type TestMongo } from '../testing/mongo/start-mongo.ts'
import { migrateMongo, type MongoMigration } from './migrate.ts'
import { MIGRATIONS } from './migrations.ts'
import { mongoDatabases } from './mongo-databases.ts'
import { openMongoStore } from './open-mongo-store.ts'

const mongo = await startMongo()
if (mongo === null) describe.skip('openMongoStore', () => undefined)
else {
  afterAll(async () => mongo[Symbol.asyncDispose]())
  openingTests(mongo)
  migrationTests(mongo)
  usageTests(mongo)
  documentTests(mongo)
  bundleTests(mongo)
  outageTests(mongo)
}

function openingTests(server: TestMongo): void {
  describe('openMongoStore', () => {
    test('keeps what was written, under the names of KRE', async () => {
      const prefix = server.newPrefix()
      {
        await using store = await server.openStore(prefix)
        await store.runtimes.create(sampleRuntime())
        await store.versions.create(sampleVersion())
        await store.outputs.write([sampleLog('1'), sampleDocument('1', { a: 1 })])
      }
      await using store = await server.openStore(prefix)
      expect(await store.runtimes.list()).toEqual([sampleRuntime()])
      const [log] = await server.client.db(`${prefix}demo`).collection('logs').find().toArray()
      expect(log).toMatchObject({
        date: new Date(sampleLog('1').date),
        nodeId: 'a',
        versionName: 'v1',
      })
      const data = server.client.db(`${prefix}demo-data`).collection('results')
      expect(await data.findOne({ a: 1 })).toMatchObject({ a: 1 })
    })

    test('writes beside what an engine before it has written', async () => {
      const prefix = server.newPrefix()
      {
        await using store = await server.openStore(prefix)
        await store.runtimes.create(sampleRuntime())
        await store.outputs.write([sampleLog('1')])
      }
      await using store = await server.openStore(prefix)
      expect(await store.outputs.write([sampleLog('1'), sampleLog('2')])).toEqual([
        { id: '1', stored: true },
        { id: '2', stored: true },
      ])
      expect(await store.logRetention.usage('demo')).toMatchObject({ lines: 2 })
    })

    test('leaves a database of somebody else alone, whatever is done to a runtime of its name', async () => {
      const prefix = server.newPrefix()
      const foreign = server.client.db(`${prefix}demo`).collection('customers')
      await foreign.insertOne({ name: 'ada' })
      await using store = await server.openStore(prefix)
      await expect(store.runtimes.create(sampleRuntime())).rejects.toMatchObject({
        code: 'failed-precondition',
        message: expect.stringContaining('choose another runtime id'),
      })
      await expect(store.outputs.write([sampleLog('1')])).rejects.toMatchObject({
        code: 'failed-precondition',
      })
      await store.runtimes.remove('demo')
      expect(await foreign.countDocuments()).toBe(1)
      expect(await store.runtimes.list()).toEqual([])
    })

    test('finishes the removal of a runtime that a crash interrupted', async () => {
      const prefix = server.newPrefix()
      {
        await using store = await server.openStore(prefix)
        await store.runtimes.create(sampleRuntime())
        await store.outputs.write([sampleLog('1')])
      }
      const runtimes = server.client.db(`${prefix}kre`).collection<{ _id: string }>('runtimes')
      await runtimes.updateOne({ _id: 'demo' }, { $set: { state: 'removing' } })
      await using store = await server.openStore(prefix)
      expect(await runtimes.countDocuments()).toBe(0)
      await store.runtimes.create(sampleRuntime())
      const page = await store.outputs.logs({ runtimeId: 'demo', limit: 1, order: 'newest-first' })
      expect(page.items).toEqual([])
    })

    test.each([
      ['what is no address', 'postgres://user:secret@host/db', 'invalid-argument'],
      ['an address without a host', 'mongodb://user:secret@', 'invalid-argument'],
      ['a server that is not there', 'mongodb://user:secret@127.0.0.1:1/', 'unavailable'],
    ])('refuses %s without showing its password', async (_, uri, code) => {
      const cacheDir = '/nonexistent'
      const error = await openMongoStore({ uri, cacheDir }).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code })
      expect(JSON.stringify([error, String(error), (error as Error).cause])).not.toContain('secret')
    })

    test('says that it is closed when it is used afterwards', async () => {
      const store = await server.openStore()
      await store[Symbol.asyncDispose]()
      await expect(store.identity.users.list()).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringContaining('is closed'),
      })
    })
  })
}

function migrationTests(server: TestMongo): void {
  describe('migrateMongo', () => {
    const steps: string[] = []
    const step = (name: string): MongoMigration => ({
      name,
      run: async () => void steps.push(name),
    })

    test('runs each step once, in order, and goes on where it was interrupted', async () => {
      const databases = mongoDatabases(server.client, server.newPrefix())
      const broken: MongoMigration = { name: 'b', run: () => Promise.reject(new Error('cut off')) }
      const migrate = (all: MongoMigration[]) => migrateMongo(databases, all, 'here')
      await expect(migrate([step('a'), broken, step('c')])).rejects.toThrow('cut off')
      await migrate([step('a'), step('b'), step('c')])
      await migrate([step('a'), step('b'), step('c')])
      expect(steps).toEqual(['a', 'b', 'c'])
    })

    test('finds versions as an earlier engine kept them, and indexes of log lines as it made them', async () => {
      const prefix = server.newPrefix()
      {
        await using store = await server.openStore(prefix)
        await store.runtimes.create(sampleRuntime())
        await store.versions.create(sampleVersion())
      }
      const demo = server.client.db(`${prefix}demo`)
      const { id: _id, facts } = sampleVersion()
      const versions = demo.collection<{ _id: string }>('versions')
      await versions.updateOne({ _id }, { $set: { facts: JSON.stringify(facts) } })
      await demo.collection('versionFacts').deleteMany({})
      await demo.collection('logs').createIndex({ date: 1, seq: 1 }, { name: 'date_seq' })
      const recorded = server.client.db(`${prefix}kre`).collection<{ _id: number }>('migrations')
      await recorded.deleteMany({ _id: { $gte: 3 } })

      await using store = await server.openStore(prefix)
      expect(await store.versions.list('demo')).toEqual([sampleVersion()])
      expect(await versions.findOne({ _id })).not.toHaveProperty('facts')
      const indexes = await demo.collection('logs').listIndexes().toArray()
      const names = indexes.map((index) => String(index['name']))
      expect(names).not.toContain('date_seq')
      expect(names).toContain('version_date_seq_filters')
    })

    test('goes on where another engine begins a step at the same moment', async () => {
      const databases = mongoDatabases(server.client, server.newPrefix())
      const recorded = databases.engine.collection<{ _id: number }>('migrations')
      const late = Object.create(recorded, {
        updateOne: {
          async value(filter: { _id: number }, change: object, options?: { upsert?: boolean }) {
            if (options?.upsert !== true) return recorded.updateOne(filter, change)
            await recorded.insertOne(filter)
            return recorded.insertOne({ _id: filter._id })
          },
        },
      })
      const engine = Object.create(databases.engine, { collection: { value: () => late } })
      steps.length = 0
      await migrateMongo({ ...databases, engine }, [step('a')], 'here')
      expect(steps).toEqual(['a'])
      expect(await recorded.findOne({ _id: 1 })).toHaveProperty('finishedAt')
    })

    test('is done by one of two engines that start at once, and the other finds it done', async () => {
      const prefix = server.newPrefix()
      {
        await using store = await server.openStore(prefix)
        await store.runtimes.create(sampleRuntime())
        await store.versions.create(sampleVersion())
      }
      const logs = server.client.db(`${prefix}demo`).collection('logs')
      await logs.createIndex({ date: 1, seq: 1 }, { name: 'date_seq' })
      const databases = mongoDatabases(server.client, prefix)
      // The other engine drops the index after this one has seen it.
      const slow = Object.create(databases, {
        runtime: {
          value: (id: string) => {
            const db = databases.runtime(id)
            return Object.create(db, {
              collection: {
                value: (name: string) =>
                  Object.create(db.collection(name), {
                    dropIndex: {
                      value: async (index: string) => {
                        await logs.dropIndex(index)
                        return db.collection(name).dropIndex(index)
                      },
                    },
                  }),
              },
            })
          },
        },
      }) as typeof databases
      await MIGRATIONS[2]?.run(slow)
      const indexes = await logs.listIndexes().toArray()
      expect(indexes.map((index) => String(index['name']))).not.toContain('date_seq')
    })

    test('refuses databases of a newer engine with advice and leaves them alone', async () => {
      const prefix = server.newPrefix()
      await (await server.openStore(prefix))[Symbol.asyncDispose]()
      const recorded = server.client.db(`${prefix}kre`).collection<{ _id: number }>('migrations')
      await recorded.insertOne({ _id: 999 })
      await expect(server.openStore(prefix)).rejects.toMatchObject({
        code: 'failed-precondition',
        message: expect.stringMatching(/has schema 999.*newer engine.*restore a backup/),
      })
    })
  })
}

function usageTests(server: TestMongo): void {
  describe('the count of log lines', () => {
    test('is made again when it is old, whatever a crash has left of it', async () => {
      const prefix = server.newPrefix()
      await using store = await server.openStore(prefix)
      await store.runtimes.create(sampleRuntime())
      await store.outputs.write([sampleLog('1'), sampleLog('2')])
      const counts = server.client.db(`${prefix}demo`).collection('logUsage')
      const usage = await store.logRetention.usage('demo')
      await counts.updateOne({}, { $set: { lines: 7, bytes: 7 } })
      const trim = () =>
        store.logRetention.trim('demo', { olderThan: new Date(0), bytesMax: 1_000_000 })
      await trim()
      expect(await store.logRetention.usage('demo')).toEqual({ lines: 7, bytes: 7 })
      await counts.updateOne({}, { $set: { countedAt: new Date(0) } })
      await trim()
      expect(await store.logRetention.usage('demo')).toEqual(usage)
      expect(usage.lines).toBe(2)
    })

    test('is made from the lines where an earlier engine kept none', async () => {
      const prefix = server.newPrefix()
      await using store = await server.openStore(prefix)
      await store.runtimes.create(sampleRuntime())
      await store.outputs.write([sampleLog('1'), sampleLog('2')])
      await server.client.db(`${prefix}demo`).collection('logUsage').deleteMany({})
      expect(await store.logRetention.usage('demo')).toMatchObject({ lines: 2 })
      await store.outputs.write([sampleLog('2'), sampleLog('3')])
      expect(await store.logRetention.usage('demo')).toMatchObject({ lines: 3 })
    })
  })
}

function documentTests(server: TestMongo): void {
  describe('documents that MongoDB can not hold as they are', () => {
    const odd: [string, Record<string, unknown>][] = [
      ['names with dots', { 'a.b': { c: 1 }, k: 1 }],
      ['names of operators', { $set: { x: 1 }, k: 1 }],
      [
        'lists in lists',
        {
          matrix: [
            [1, 2],
            [3, 4],
          ],
          k: 1,
        },
      ],
      ['half a character', { text: 'x\ud800y', k: 1 }],
      ['the name of the engine’s field', { _kre: 'mine', k: 1 }],
      ['an own id that is an object', { _id: { $gt: '' }, k: 1 }],
    ]
    test.each(odd)('come back and are found: %s', async (_, document) => {
      await using store = await server.openStore()
      await store.outputs.write([sampleDocument('1', document), sampleDocument('2', { k: 2 })])
      const [found] = await store.outputs
        .documents('demo', 'results', 9)
        .then((all) => all.slice(-1))
      expect(found?.document).toEqual(document)
      expect(await store.outputs.findDocuments('demo', 'results', { k: 1 }, 9)).toEqual([
        { _id: '1', ...document },
      ])
    })

    test('a document whose BSON is larger than its JSON is stored all the same', async () => {
      await using store = await server.openStore()
      const document = { many: Array.from({ length: 2_000_000 }, () => 1), k: 1 }
      expect(await store.outputs.write([sampleDocument('1', document)])).toEqual([
        { id: '1', stored: true },
      ])
      const [found] = await store.outputs.findDocuments('demo', 'results', { k: 1 }, 9)
      expect(found?.['many']).toHaveLength(2_000_000)
    })

    test.each(['system.users', 'a$b', '.', 'x'.repeat(300), '_kre.other', 'a\0b', '"; DROP'])(
      'a collection called %j keeps its documents to itself',
      async (name) => {
        await using store = await server.openStore()
        const into = { collection: name }
        await store.outputs.write([
          sampleDocument('1', { a: 1 }, into),
          sampleDocument('2', { a: 1 }),
        ])
        expect(await store.outputs.documents('demo', name, 9)).toHaveLength(1)
        expect(await store.outputs.findDocuments('demo', name, { a: 1 }, 9)).toHaveLength(1)
      },
    )
  })
}

function bundleTests(server: TestMongo): void {
  describe('archives', () => {
    test('come from the database to a computer that has none, unless they were changed there', async () => {
      const prefix = server.newPrefix()
      const archive = Buffer.alloc(3 * 1024 * 1024, 'archive')
      const digest = createHash('sha256').update(archive).digest('hex')
      {
        await using store = await server.openStore(prefix)
        const file = join(store.bundles.scratchDir, 'upload')
        await writeFile(file, archive)
        await store.bundles.put(digest, file)
      }
      await using other = await server.openStore(prefix)
      expect(await other.bundles.has(digest)).toBe(true)
      expect((await readFile(await other.bundles.path(digest))).equals(archive)).toBe(true)

      const chunks = server.client.db(`${prefix}kre`).collection('krt.chunks')
      await chunks.updateOne({ n: 1 }, { $set: { data: Buffer.alloc(1024 * 1024, 'tampered') } })
      await using third = await server.openStore(prefix)
      await expect(third.bundles.path(digest)).rejects.toMatchObject({
        code: 'internal',
        message: expect.stringContaining('is damaged'),
      })
    })
  })
}

function outageTests(server: TestMongo): void {
  const when = server.kind === 'FerretDB' ? test : test.skip
  describe('a store whose server goes away', () => {
    when('says so, and goes on by itself when it is back', async () => {
      await using store = await server.openStore()
      await store.runtimes.create(sampleRuntime())
      await server.kill()
      const failure: unknown = await store.runtimes.list().catch((error: unknown) => error)
      expect((failure as KreError).code).toBe('unavailable')
      await server.restart()
      expect(await store.runtimes.list()).toEqual([sampleRuntime()])
    })
  })
}
