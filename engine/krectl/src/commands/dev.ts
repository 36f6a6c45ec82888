import { setTimeout as sleep } from 'node:timers/promises'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { KreError, MINUTE_MS, toKreError } from '@kre/contracts'
import { readEngineRecords, type EngineRecord } from '@kre/service-kit/engine-record'
import { connectAdmin } from '../api/admin-client.ts'
import { requireLocal } from '../api/connect-engine.ts'
import { listVersions } from '../api/versions.ts'
import type { Context } from '../context.ts'
import { buildUi } from '../engine/build-ui.ts'
import { joinEngine } from '../engine/join-engine.ts'
import { ensureEngine, makeDataDir, type RunningEngine } from '../engine/start-engine.ts'
import { leaveEngine, stopEngine } from '../engine/stop-engine.ts'
import { runExample, type ExampleAnswer } from '../example/run-example.ts'
import { chooseTarget, TARGET_OPTION } from '../minikube/choose-target.ts'
import { devOnMinikube } from '../minikube/dev-on-minikube.ts'
import { UsageError } from '../output/exit-code.ts'
import { createLoginUrl } from '../api/login-url.ts'

/** How often the foreground looks whether its engine is still there. */
const WATCH_MS = 500
/** A Python environment may have to be built again. */
const RETURN_TIMEOUT_MS = 2 * MINUTE_MS
const RETURN_POLL_MS = 100

type DevOptions = {
  detach?: boolean
  example: boolean
  mongo?: string
  join?: boolean
  port?: number
  skipBuild?: boolean
  target?: string
}

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
    .option(
      '--join',
      'one more engine on the data folder: it serves too, and takes over when the first one ends',
    )
    .option('--port <number>', "of this engine's admin API ($KRE_ADMIN_PORT)", parsePort)
    .option('--skip-build', 'on minikube: with the images that were built before')
    .option(...TARGET_OPTION)
    .addHelpText(
      'after',
      `
Ports are $KRE_ADMIN_PORT (4000) and $KRE_ENTRYPOINT_PORT (9000) and up; where one is taken, a free one is chosen and said.
Running it again is harmless: what runs already is used. Ctrl-C stops everything; pressed again, at once.`,
    )
    .action(async (options: DevOptions) => {
      if (chooseTarget(given, options.target) === 'minikube')
        return devOnMinikube(given, { skipBuild: options.skipBuild === true })
      requireLocal(given, 'dev', 'local')
      const context = withMongo(
        // Also where another engine is the current one: this command is about this computer's.
        { ...given, engineOptions: { data: given.dataDir } },
        options.mongo,
      )
      const began = performance.now()
      context.output.step('Starting the engine')
      // Beside the engine's start: most of the time there is nothing to build.
      const uiIsBuilt = buildUi(context)
      const { record, started } = await bringUp(context, options)
      try {
        context.output.step(
          `Engine ${started ? 'started' : 'runs already'}: process ${record.pid}, ${record.adminUrl}`,
        )
        if (!started) await requireSameStore(context)
        if (started) await awaitReturn(context)
        await uiIsBuilt
        await present(context, options, { record, began })
      } catch (error) {
        // Interrupted on the way up: what this command started does not stay behind.
        if (context.signal.aborted && (started || options.detach !== true))
          await end(context, options, record)
        throw error
      }
      if (options.detach !== true) await untilInterrupted(context, options, record)
    })
}

/** The engine of the data folder, or one more of them. */
async function bringUp(
  context: Context,
  { join: joins, port }: DevOptions,
): Promise<RunningEngine> {
  if (joins === true) {
    await makeDataDir(context.dataDir)
    return joinEngine(context, port ?? null)
  }
  if (port === undefined) return ensureEngine(context)
  const environment = { ...context.environment, KRE_ADMIN_PORT: String(port) }
  return ensureEngine({ ...context, environment })
}

/** @throws UsageError for what is no port. */
function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new UsageError(`--port needs a number from 0 to 65535, not "${text}"`)
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
  const client = await connectAdmin(context.dataDir, record.adminUrl)
  const example = options.example && options.join !== true ? await tryExample(context) : null
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
      endingOf(options),
    ].join('\n'),
  )
}

function endingOf({ detach, join: joins }: DevOptions): string {
  if (joins === true) return 'The first engine to end hands over; ./krectl.sh stop ends all of them'
  return detach === true ? 'Stop it with ./krectl.sh stop' : 'Stop it with Ctrl-C'
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

async function untilInterrupted(
  context: Context,
  options: DevOptions,
  engine: EngineRecord,
): Promise<void> {
  const interrupted = once(context.signal, 'abort')
  while (!context.signal.aborted) {
    await Promise.race([interrupted, sleep(WATCH_MS, undefined, { ref: true })])
    if (context.signal.aborted) break
    const running = await readEngineRecords(context.dataDir)
    if (running.some(({ pid }) => pid === engine.pid)) continue
    throw new KreError(
      'unavailable',
      `the engine (process ${engine.pid}) has ended: stopped by somebody else, or see ${context.dataDir}/engine.log. "krectl dev" starts it again`,
    )
  }
  await end(context, options, engine)
}

/** Ends everything, or the one engine that joined others. */
async function end(context: Context, options: DevOptions, engine: EngineRecord): Promise<void> {
  context.output.step('Stopping')
  const others = await readEngineRecords(context.dataDir)
  if (options.join === true && others.some(({ pid }) => pid !== engine.pid)) {
    await leaveEngine({ ...context, signal: new AbortController().signal }, engine)
    context.output.step('This engine has ended. The others go on.')
    return
  }
  await stopEngine({ ...context, signal: new AbortController().signal })
  context.output.step('KRE is stopped. Its data stays.')
}
