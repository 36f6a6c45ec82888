import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  dataSubject,
  logRecordsOf,
  outputsFilter,
  outputsStream,
  STORED_REPLY_HEADER,
  type LogBatch,
  type NodeLaunch,
  type OutputRecord,
} from '@kre/contracts'
import { waitUntil } from '@kre/service-kit'
import { startNats, type TestNats } from '@kre/service-kit/testing'
import { jetstreamManager } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { Objm } from '@nats-io/obj'
import type { NatsConnection } from '@nats-io/transport-node'
import { openTestBench, textOf } from '../testing/start-node.ts'

let nats: TestNats
let connection: NatsConnection
const records: OutputRecord[] = []
/** Answers of the store: `success` unless the document says otherwise. */
beforeAll(async () => {
  nats = await startNats()
  connection = await nats.connect()
  const manager = await jetstreamManager(connection)
  const name = outputsStream({ runtimeId: 'rt', version: 'v1' })
  await manager.streams.add({ name, subjects: [outputsFilter('rt')] })
  await new Objm(connection).create('OBJ_rt__models')
  for (const bucket of ['KV_rt', 'KV_rt_v1_wf', 'KV_rt_v1_wf_one'])
    await new Kvm(connection).create(bucket)
  connection.subscribe(outputsFilter('rt'), {
    callback: (_, message) => {
      const record = message.json<OutputRecord | LogBatch>()
      const isBatch = record.kind === 'logs'
      records.push(...(isBatch ? logRecordsOf(record) : [record]))
      if (isBatch) return
      const reply = message.headers?.get(STORED_REPLY_HEADER) ?? ''
      if (reply === '' || record.kind !== 'document' || record.document['refuse'] === 'silently')
        return
      const refused = record.document['refuse'] === true
      connection.publish(
        reply,
        JSON.stringify(refused ? { success: false, error: 'no space' } : { success: true }),
      )
    },
  })
  connection.subscribe(dataSubject('rt', 'find'), {
    callback: (_, message) => {
      const { collection } = message.json<{ collection: string }>()
      const documents = records.flatMap((r) =>
        r.kind === 'document' && r.collection === collection ? [r.document] : [],
      )
      message.respond(JSON.stringify({ success: true, documents }))
    },
  })
})
afterAll(async () => nats[Symbol.asyncDispose]())

/** A node that runs `body` for each request and answers what it returns, as JSON. */
async function runBody(body: string, changes: Partial<NodeLaunch> = {}) {
  const bench = await openTestBench(connection, nats.access)
  await bench.node(
    'one',
    `export const handler = async (ctx, data) => {
      const { text } = data.unpack()
      return { text: JSON.stringify(await (async () => { ${body} })()) ?? 'undefined' }
    }`,
    { objectBucket: 'OBJ_rt__models', ...changes },
  )
  return bench
}
const json = (text: string): unknown => (text.startsWith('Error') ? text : JSON.parse(text))

describe('ctx.db', () => {
  test('save resolves when the store has it, with the same id on each delivery; find sees it', async () => {
    await using bench = await runBody(`
      await ctx.db.save('people', { name: text })
      await ctx.db.save('people', { name: text + '2' })
      return ctx.db.find('people', { any: 1 })`)
    await bench.ask('ann', { requestId: 'r-1' })
    const found = json(textOf(await bench.ask('ann', { requestId: 'r-1' })))
    expect(found).toEqual([{ name: 'ann' }, { name: 'ann2' }, { name: 'ann' }, { name: 'ann2' }])
    const ids = records.filter((r) => r.kind === 'document').map((r) => r.id)
    expect(ids).toEqual(['r-1/one/0/0', 'r-1/one/0/1', 'r-1/one/0/0', 'r-1/one/0/1'])
    expect(records.find((r) => r.kind === 'document')).toMatchObject({
      workflow: 'wf',
      nodeName: 'one',
      requestId: 'r-1',
    })
  })

  test('a document that is refused, unconfirmed or malformed raises', async () => {
    await using bench = await runBody(`
      await ctx.db.save('people', text === 'none' ? undefined : { refuse: text === 'refused' ? true : text })`)
    expect((await bench.ask('refused')).error).toContain('db.save: no space')
    expect((await bench.ask('silently', { deadlineMs: 200 })).error).toMatch(
      /did not (?:confirm|finish)/,
    )
    expect((await bench.ask('none')).error).toContain('the document must be an object')
  })
})

describe('ctx.prediction and ctx.measurement', () => {
  test('write records of one shape and refuse what is none', async () => {
    await using bench = await runBody(`
      await ctx.prediction.save('1', '2', { date: '2024-01-31T12:00:00.5Z', extra: { a: 1 } })
      await ctx.prediction.saveError('new_labels')
      await ctx.measurement.save('speed', { v: 1.5 }, { unit: 'm' }, 12n)
      if (text === 'bad') await ctx.prediction.save('', '')
      if (text === 'zone') await ctx.prediction.save('1', '2', { date: '2024-01-31T12:00:00+02:00' })
      return 'fine'`)
    expect(json(textOf(await bench.ask('x')))).toBe('fine')
    await waitUntil('the measurement', () =>
      records.some((r) => r.kind === 'measurement' && r.measurement === 'speed'),
    )
    expect(records.filter((r) => r.kind === 'prediction')).toMatchObject([
      {
        date: '2024-01-31T12:00:00.500000Z',
        predictedValue: '1',
        trueValue: '2',
        error: '',
        extra: { a: 1 },
      },
      { error: 'new_labels', predictedValue: '', trueValue: '', extra: null },
    ])
    expect(
      records.find((r) => r.kind === 'measurement' && r.measurement === 'speed'),
    ).toMatchObject({
      fields: { v: 1.5 },
      tags: { unit: 'm' },
      timeNs: '12',
    })
    expect((await bench.ask('bad')).error).toContain(
      'must be non-empty strings unless error is set',
    )
    expect((await bench.ask('zone')).error).toContain('is no time in UTC')
  })
})

describe('ctx.configuration', () => {
  test('falls back from node to workflow to project', async () => {
    await using bench = await runBody(`
      const seen = []
      const look = async () => seen.push(await ctx.configuration.get('k').catch((error) => error.message))
      for (const scope of ['project', 'workflow', 'node']) { await ctx.configuration.set('k', scope, scope); await look() }
      for (const scope of ['node', 'workflow', 'project']) { await ctx.configuration.delete('k', scope); await look() }
      return seen`)
    expect(json(textOf(await bench.ask('x')))).toEqual([
      'project',
      'workflow',
      'node',
      'workflow',
      'project',
      'No value found for key "k" in any scope',
    ])
  })
})

describe('ctx.objectStore', () => {
  test('keeps objects of 0 B, 1 KiB and 20 MiB, and finds them by prefix and pattern', async () => {
    await using bench = await runBody(`
      const back = []
      for (const [i, bytes] of [0, 1024, 20 * 1024 * 1024].entries()) {
        const data = new Uint8Array(bytes).fill(7)
        await ctx.objectStore.save('models/' + i, data)
        back.push(Buffer.compare(await ctx.objectStore.get('models/' + i), data))
      }
      await ctx.objectStore.save('other', new Uint8Array(1))
      const listed = [await ctx.objectStore.list({ prefix: 'models/' }), await ctx.objectStore.list({ pattern: '[12]$' })]
      const error = await ctx.objectStore.list({ pattern: '(a)\\\\1' }).catch((e) => e.message)
      const missing = await ctx.objectStore.get('missing').catch((e) => e.message)
      const purged = await ctx.objectStore.purge({ prefix: 'models/' })
      await ctx.objectStore.delete('other')
      return { back, listed, error, missing, purged, left: await ctx.objectStore.list() }`)
    expect(json(textOf(await bench.ask('x', { deadlineMs: 25_000 })))).toEqual({
      back: [0, 0, 0],
      listed: [
        ['models/0', 'models/1', 'models/2'],
        ['models/1', 'models/2'],
      ],
      error: expect.stringContaining('linear time'),
      missing: 'no object "missing" in the object store',
      purged: 3,
      left: [],
    })
  })

  test('is there only when declared', async () => {
    await using bench = await runBody(`return ctx.objectStore.list()`, { objectBucket: null })
    expect((await bench.ask('x')).error).toContain("node 'one' has no object store")
  })
})

describe('logs', () => {
  const logs = () => records.filter((r) => r.kind === 'log')

  test('what user code prints is stored with level and request, long lines cut, lines of one message joined', async () => {
    const printed = new Date().toISOString()
    await using bench = await runBody(`
      console.log('plain', 1)
      console.error('bad\\nthing')
      process.stdout.write('${printed} WARNING careful\\n  and more\\n')
      ctx.logger.debug('detail', { a: 1 })
      console.log('x'.repeat(1_000_000))
      return 'done'`)
    await bench.ask('x', { requestId: 'log-1' })
    const mine = await waitUntil('five lines', () => {
      const found = logs().filter((r) => r.requestId === 'log-1')
      return found.length >= 5 ? found : null
    })
    const seen = mine.map(({ level, message }) => `${level} ${message.slice(0, 30)}`)
    expect(seen).toHaveLength(5)
    expect(seen).toEqual(
      expect.arrayContaining([
        'INFO plain 1',
        'ERROR bad\nthing',
        'WARN careful\n  and more',
        'DEBUG detail {"a":1}',
        `INFO ${'x'.repeat(30)}`,
      ]),
    )
    expect(mine.find((r) => r.message.startsWith('xxx'))?.message).toMatch(
      / … \(1000000 characters\)$/,
    )
    expect(mine.find((r) => r.level === 'WARN')?.date).toBe(printed)
  })

  test('a flood is cut off and its size is said', async () => {
    await using bench = await runBody(
      `for (let i = 0; i < 5_000; i++) console.log('flood', i); return 'done'`,
    )
    await bench.ask('x')
    await waitUntil('the count of dropped lines', () =>
      logs().some((r) => /^dropped 4\d{3} lines$/.test(r.message)),
    )
    const flood = logs().filter((r) => r.message.startsWith('flood'))
    expect(flood.length).toBeGreaterThan(900)
    expect(flood.length).toBeLessThanOrEqual(1_001)
  })

  test('handler times are summed up per sender', async () => {
    await using bench = await runBody(`return text`)
    await Promise.all(['a', 'b', 'c'].map((text) => bench.ask(text)))
    const times = await waitUntil('elapsed times', () =>
      records.findLast(
        (r) =>
          r.kind === 'measurement' &&
          r.measurement === 'node_elapsed_time' &&
          r.fields['count'] === 3,
      ),
    )
    expect(times).toMatchObject({
      tags: { from_node: 'entrypoint' },
      fields: { count: 3, failed: 0 },
      node: 'one',
    })
  })
})
