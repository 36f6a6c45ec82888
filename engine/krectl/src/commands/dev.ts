import { setTimeout as sleep } from 'node:timers/promises'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { KreError, MINUTE_MS, toKreError } from '@kre/contracts'
import { readEngineRecord, type EngineRecord } from '@kre/service-kit'
import { connectAdmin } from '../api/admin-client.ts'
import { listVersions } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { ensureEngine } from '../engine/start-engine.ts'
import { stopEngine } from '../engine/stop-engine.ts'
import { runExample, type ExampleAnswer } from '../example/run-example.ts'
import { createLoginUrl } from './engine.ts'

/** How often the foreground looks whether its engine is still there. */
const WATCH_MS = 500
/** A Python environment may have to be built again. */
const RETURN_TIMEOUT_MS = 2 * MINUTE_MS
const RETURN_POLL_MS = 100

type DevOptions = { detach?: boolean; example: boolean; mongo?: string }

export function devCommand(program: Command, given: Context): void {
  program
    .command('dev')
    .description(
      'a complete local environment: the engine, an example version, and its answer to a call',
    )
    .option('-d, --detach', 'return when everything is up; the engine goes on')
    .option('--no-example', 'only the engine')
    .option(
      '--mongo <uri>',
      'keep the data in MongoDB ($KRE_MONGODB_URI) instead of the data folder',
    )
    .addHelpText(
      'after',
      `
Ports are $KRE_ADMIN_PORT (4000) and $KRE_ENTRYPOINT_PORT (9000) and up; where one is taken, a free one is chosen and said.
Running it again is harmless: what runs already is used. Ctrl-C stops everything; pressed again, at once.`,
    )
    .action(async (options: DevOptions) => {
      const context = withMongo(given, options.mongo)
      const began = performance.now()
      context.output.step('Starting the engine')
      const { record, started } = await ensureEngine(context)
      try {
        context.output.step(
          `Engine ${started ? 'started' : 'runs already'}: process ${record.pid}, ${record.adminUrl}`,
        )
        if (!started) await requireSameStore(context)
        if (started) await awaitReturn(context)
        await present(context, options, { record, began })
      } catch (error) {
        // Interrupted on the way up: what this command started does not stay behind.
        if (context.signal.aborted && (started || options.detach !== true)) await end(context)
        throw error
      }
      if (options.detach !== true) await untilInterrupted(context, record)
    })
}

/** The URI travels in the environment: it may hold a password, and arguments are for everybody to see. */
function withMongo(context: Context, uri: string | undefined): Context {
  if (uri === undefined) return context
  return { ...context, environment: { ...context.environment, KRE_MONGODB_URI: uri } }
}

/** An engine that runs already keeps its data where it does. */
async function requireSameStore({ dataDir, environment }: Context): Promise<void> {
  if ((environment['KRE_MONGODB_URI'] ?? '') === '') return
  const isOnMongo = await stat(join(dataDir, 'store.json')).then(
    () => true,
    () => false,
  )
  if (isOnMongo) return
  throw new KreError(
    'failed-precondition',
    `an engine runs already and keeps its data in ${dataDir}, not in MongoDB: choose another folder with --data, or leave --mongo and KRE_MONGODB_URI away`,
  )
}

async function present(
  context: Context,
  options: DevOptions,
  { record, began }: { record: EngineRecord; began: number },
): Promise<void> {
  const client = await connectAdmin(context.dataDir)
  const example = options.example ? await tryExample(context) : null
  const url = await createLoginUrl(client, { renew: false, user: null })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  context.output.result(
    {
      adminUrl: record.adminUrl,
      loginUrl: url,
      pid: record.pid,
      example,
      seconds: Number(seconds),
    },
    [
      ...(example === null || 'problem' in example
        ? []
        : [
            '',
            `A real answer from the example "${example.version}" at ${example.address}:`,
            `  ${example.command}`,
            JSON.stringify(example.answer, null, 2),
          ]),
      '',
      `KRE is up after ${seconds} s. Sign in at:`,
      '',
      `  ${url}`,
      '',
      options.detach ? 'Stop it with ./krectl.sh stop' : 'Stop it with Ctrl-C',
    ].join('\n'),
  )
}

/** Versions that ran when the engine was stopped come back with it; whoever calls them next shall find them there. */
async function awaitReturn(context: Context): Promise<void> {
  const client = await connectAdmin(context.dataDir)
  const end = performance.now() + RETURN_TIMEOUT_MS
  for (let told = ''; performance.now() < end;) {
    const { runtimes } = await client.graphql<{ runtimes: { id: string }[] }>('{ runtimes { id } }')
    const versions = await Promise.all(runtimes.map(({ id }) => listVersions(client, id)))
    const starting = versions.flat().filter(({ status }) => status === 'STARTING')
    if (starting.length === 0) return
    const text = `Bringing back ${starting.map(({ runtimeId, name }) => `${runtimeId}/${name}`).join(', ')}`
    if (text !== told) context.output.step((told = text))
    await sleep(RETURN_POLL_MS, undefined, { signal: context.signal })
  }
  context.output.step('  not everything is back yet: see krectl version list')
}

/** The engine is what `dev` is for: an example that can't run here is a pity, not a failure. */
async function tryExample(context: Context): Promise<ExampleAnswer | { problem: string }> {
  try {
    return await runExample(await connectAdmin(context.dataDir), context)
  } catch (error) {
    if (context.signal.aborted) throw error
    const problem = toKreError(error).message
    context.output.step(`The example does not run: ${problem}`)
    return { problem }
  }
}

async function untilInterrupted(context: Context, engine: EngineRecord): Promise<void> {
  const interrupted = once(context.signal, 'abort')
  while (!context.signal.aborted) {
    await Promise.race([interrupted, sleep(WATCH_MS, undefined, { ref: true })])
    if (context.signal.aborted) break
    const running = await readEngineRecord(context.dataDir)
    if (running?.pid === engine.pid) continue
    throw new KreError(
      'unavailable',
      `the engine (process ${engine.pid}) has ended: stopped by somebody else, or see ${context.dataDir}/engine.log. "krectl dev" starts it again`,
    )
  }
  await end(context)
}

async function end(context: Context): Promise<void> {
  context.output.step('Stopping')
  await stopEngine({ ...context, signal: new AbortController().signal })
  context.output.step('KRE is stopped. Its data stays.')
}
