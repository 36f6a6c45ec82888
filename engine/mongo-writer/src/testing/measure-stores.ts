/**
 * Measures both stores side by side: `node engine/mongo-writer/src/testing/measure-stores.ts [LINES]` (100,000).
 * Log lines that wait in a stream go through a writer into the store; then pages of them are asked for.
 * MongoDB is KRE_TEST_MONGODB_URI, or FerretDB, which says nothing about MongoDB's own speed.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream } from '@nats-io/jetstream'
import { outputSubject, type LogRecord } from '@kre/contracts'
import { createEventBus, createLogger } from '@kre/service-kit'
import { startNats } from '@kre/service-kit/testing'
import { openSqliteStore, type LogQuery, type Store } from '@kre/store'
import { startMongo } from '@kre/store/testing/mongo'
import { createMongoWriter } from '../create-mongo-writer.ts'
import { createOutputsStream } from './create-outputs-stream.ts'

const PAGE = 40
const ASKED_MAX = 20
/** A store that is slow is asked less often, but three times. */
const ASKING_MS = 10_000

const lines = Number(process.argv[2] ?? 100_000)
const dataDir = await mkdtemp(join(tmpdir(), 'kre-measure-'))
{
  await using sqlite = await openSqliteStore({ dataDir })
  await measure('SQLite', sqlite)
}
await rm(dataDir, { recursive: true })
await using mongo = await startMongo()
if (mongo !== null) {
  await using store = await mongo.openStore()
  await measure(`MongoDB (${mongo.kind})`, store)
}

async function measure(name: string, store: Store): Promise<void> {
  await using server = await startNats()
  const nats = await server.connect()
  await store.runtimes.create({
    id: 'demo',
    name: 'demo',
    description: '',
    createdAt: new Date(),
    createdBy: 'measure',
  })
  await createOutputsStream(nats, 'demo')
  await publishLines(async (subject, body) => void (await jetstream(nats).publish(subject, body)))
  const logger = createLogger('measure', { level: 'warn' })
  const events = createEventBus((error) => logger.error({ error }, 'a listener failed'))
  await using writer = createMongoWriter({ store, logger, events, nats })
  const began = performance.now()
  await writer.start(new AbortController().signal)
  while (writer.counts.stored < lines) await new Promise((resolve) => setTimeout(resolve, 10))
  const seconds = (performance.now() - began) / 1000
  const memory = Math.round(process.memoryUsage().rss / 1024 / 1024)
  say(`${name}: ${Math.round(lines / seconds)} lines/s, ${memory} MiB of memory afterwards`)
  for (const [what, query] of Object.entries(queries())) {
    const figures = await percentiles(() => store.outputs.logs(query)).catch(
      (error: unknown) => `not answered: ${String(error)}`,
    )
    say(`${name}: ${what}: ${figures}`)
  }
}

async function publishLines(
  publish: (subject: string, body: string) => Promise<void>,
): Promise<void> {
  const step = 1_000
  for (let at = 0; at < lines; at += step)
    await Promise.all(
      Array.from({ length: Math.min(step, lines - at) }, (_, i) => {
        const log = lineOf(at + i)
        return publish(outputSubject(log, log.workflow, 'log'), JSON.stringify(log))
      }),
    )
}

/** Ten lines a second for hours, of five nodes and a hundred requests an hour. */
function lineOf(i: number): LogRecord {
  return {
    kind: 'log',
    id: `${i}`,
    runtimeId: 'demo',
    version: 'v1',
    versionId: 'version-1',
    workflow: 'wf',
    workflowName: 'wf',
    nodeName: `node-${i % 5}`,
    date: new Date(Date.UTC(2026, 0, 1) + i * 100).toISOString(),
    node: `node-${i % 5}`,
    level: i % 50 === 0 ? 'ERROR' : 'INFO',
    requestId: `request-${Math.floor(i / 360)}`,
    message: i % 10_000 === 0 ? `needle ${i}` : `step ${i} of the request took ${i % 97} ms`,
  }
}

function queries(): Record<string, LogQuery> {
  const newest = { runtimeId: 'demo', limit: PAGE, order: 'newest-first' } as const
  const middle = new Date(Date.UTC(2026, 0, 1) + lines * 50)
  return {
    'newest page': newest,
    'page up to a moment in the middle': { ...newest, to: middle },
    'errors of a node': { ...newest, levels: ['ERROR'], nodes: ['node-0'] },
    'one request': { ...newest, requestId: 'request-7' },
    'a rare text': { ...newest, search: 'needle' },
  }
}

async function percentiles(ask: () => Promise<unknown>): Promise<string> {
  const times: number[] = []
  const end = performance.now() + ASKING_MS
  while (times.length < 3 || (times.length < ASKED_MAX && performance.now() < end)) {
    const began = performance.now()
    await ask()
    times.push(performance.now() - began)
  }
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): string =>
    (sorted[Math.ceil(share * (times.length - 1))] ?? 0).toFixed(1)
  return `median ${at(0.5)} ms, p95 ${at(0.95)} ms of ${times.length}`
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
