/** One node of a workflow: wires broker, handlers and services, and runs until it is told to stop. */
import { writeSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import {
  Cancellation,
  controlSubject,
  decodeEnvelope,
  ENCODING,
  ENTRYPOINT,
  failureSubject,
  ingressSubject,
  KreError,
  MiB,
  nodeSubject,
  toKreError,
  type Envelope,
  type NodeLaunch,
} from '@kre/contracts'
import type { CallPort } from '@kre/sdk'
import { connectNats } from '@kre/service-kit'
import type { NatsConnection, Subscription } from '@nats-io/transport-node'
import { Dispatcher, type HandlerHost } from './calls/dispatcher.ts'
import { openJournal } from './calls/journal.ts'
import type { CallOwner } from './calls/node-call.ts'
import { createCounters } from './counters.ts'
import { EXIT } from './exit-codes.ts'
import { createHopSender } from './hops/hop-sender.ts'
import { openInbox } from './hops/inbox.ts'
import { createOutlet } from './hops/outlet.ts'
import { createNodeLog, type NodeLog } from './outputs/node-log.ts'
import { createOutbox, type Outbox } from './outputs/outbox.ts'
import { createTimings } from './outputs/timings.ts'
import { createAnnouncer } from './process/announcer.ts'
import { userEnvironment, writeConfigFiles } from './process/environment.ts'
import { createWatchdog, NO_WATCHDOG } from './process/watchdog.ts'
import {
  createDataServices,
  type DataServices,
  type ServiceCaller,
} from './services/data-services.ts'

/** What a language brings: how its handlers are loaded, run and ended. */
export type Runtime = {
  readonly host: HandlerHost
  /** Receives the errors of the nodes it listens to. */
  readonly handlesErrors: boolean
  /** Gives out log lines that still wait. */
  flush(): void
  close(): Promise<void>
}

export type RuntimeDeps = {
  readonly launch: NodeLaunch
  readonly dispatcher: Dispatcher
  readonly services: DataServices
  readonly log: NodeLog
  /** Environment of user code. */
  readonly environment: Readonly<Record<string, string>>
  /** The process's own, for user code that runs in it. */
  readonly ownEnvironment: NodeJS.ProcessEnv
  /** A service caller, and context, for code that runs outside of a message. */
  readonly outside: CallPort & ServiceCaller
  /** Ends the node: user code can't go on. */
  readonly onFatal: (what: string, exitCode: number) => void
}

/** Decompressed payloads are bounded, or a small message could fill the memory. */
const DECOMPRESSED_BYTES_MAX = 64 * MiB

/**
 * @param ownEnvironment `process.env`; becomes that of user code when it runs in this process.
 * @param signal told to drain.
 * @returns the exit code, when everything is given back.
 * @throws KreError `failed-precondition` when the user's code can't be loaded.
 */
export async function runNode(
  launch: NodeLaunch,
  ownEnvironment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<number> {
  writeConfigFiles(launch)
  const connection = await connectNats(launch.nats, `node ${launch.workflow}/${launch.node}`)
  const stop = Promise.withResolvers<number>()
  signal.addEventListener('abort', () => stop.resolve(EXIT.ok), { once: true })
  const counters = createCounters()
  const inbox = openInbox(connection)
  const log: NodeLog = createNodeLog(launch, () => outbox)
  const outbox: Outbox = createOutbox(launch, connection, inbox, () => {
    counters.droppedLogs++
    log.dropped()
  })
  const hops = createHopSender(connection, inbox, counters)
  const outlet = createOutlet(launch, hops, counters)
  const services = createDataServices(launch, connection, inbox, outbox)
  const timings = createTimings(launch, outbox, counters)
  const journal = openJournal(launch.workPath, launch.concurrency)
  const watchdog = launch.runner === 'typescript' ? createWatchdog() : NO_WATCHDOG
  const owner: CallOwner = {
    send: (call, kind, channel, payload, error) => outlet.send(call, kind, channel, payload, error),
    log: (call, level, text) => log.write(level, text, call.requestId),
    service: services,
  }
  const dispatcher = new Dispatcher({
    launch,
    owner,
    outlet,
    journal,
    watchdog,
    counters,
    onHandled: (call, elapsedMs, success) => timings.handled(call, elapsedMs, success),
    onFailure: (call, failure) => log.write('ERROR', failure.stack, call.requestId),
  })
  const announcer = createAnnouncer(launch, connection, journal.interrupted, () =>
    stop.resolve(EXIT.ok),
  )
  const onFatal = (what: string, exitCode: number) => {
    log.write('ERROR', what, null)
    // User code may have taken over the stream: whoever watches the process must see the reason all the same.
    writeSync(process.stderr.fd, `${what}\n`)
    dispatcher.failRunning('internal', what)
    stop.resolve(exitCode)
  }

  let runtime: Runtime | null = null
  let exitCode: number = EXIT.ok
  let subscriptions: Subscription[] = []
  try {
    runtime = await Promise.race([
      openRuntime({
        launch,
        dispatcher,
        services,
        log,
        environment: userEnvironment(launch, ownEnvironment),
        ownEnvironment,
        outside: outsideOfCalls(launch, services, log),
        onFatal,
      }),
      stop.promise.then(() => null),
    ])
    if (runtime !== null) {
      dispatcher.start(runtime.host)
      subscriptions = subscribe(launch, connection, runtime.handlesErrors, (message) => {
        try {
          dispatcher.accept(readEnvelope(message))
        } catch (error) {
          counters.corrupt++
          log.write('WARN', `a message was dropped: ${toKreError(error).message}`, null)
        }
      })
      connection.subscribe(controlSubject(launch, 'cancel'), {
        callback: (error, message) => {
          const parsed = error === null ? Cancellation.safeParse(parseJson(message.data)) : null
          if (parsed?.success === true) dispatcher.cancel(new Set(parsed.data.requestIds))
        },
      })
      await connection.flush()
      announcer.ready()
      await stop.promise
      announcer.draining()
    }
    exitCode = await stop.promise
    const endAt = performance.now() + launch.drainMs
    if (exitCode === EXIT.ok) await withinMs(drain(subscriptions, dispatcher), launch.drainMs)
    else for (const subscription of subscriptions) subscription.unsubscribe()
    runtime?.flush()
    timings.flush()
    const left = () => Math.max(endAt - performance.now(), 200)
    while (hops.retrying > 0 && performance.now() < endAt) await sleepMs(10)
    await outbox.flush(Math.min(left(), 2_000))
    await withinMs(connection.drain(), Math.min(left(), 2_000))
  } finally {
    watchdog.close()
    await runtime?.close()
    journal.close()
    await withinMs(connection.close(), 500)
  }
  return exitCode
}

async function openRuntime(deps: RuntimeDeps): Promise<Runtime> {
  if (deps.launch.runner === 'typescript') {
    const { openTypescriptRuntime } = await import('./typescript/typescript-runtime.ts')
    return openTypescriptRuntime(deps)
  }
  const { openWorkerRuntime } = await import('./worker/worker-runtime.ts')
  return openWorkerRuntime(deps)
}

function subscribe(
  launch: NodeLaunch,
  connection: NatsConnection,
  handlesErrors: boolean,
  onMessage: (message: Uint8Array) => void,
): Subscription[] {
  const subjects = new Set<string>()
  for (const { from, channel } of launch.subscriptions) {
    if (from === ENTRYPOINT) {
      subjects.add(ingressSubject(launch))
      continue
    }
    const sender = { ...launch, node: from }
    subjects.add(nodeSubject(sender, channel ?? undefined))
    if (handlesErrors) subjects.add(failureSubject(sender))
  }
  return [...subjects].map((subject) =>
    connection.subscribe(subject, {
      queue: launch.node,
      callback: (error, message) => {
        if (error === null) onMessage(message.data)
      },
    }),
  )
}

/** @throws KreError `invalid-argument` for what is no envelope. */
function readEnvelope(message: Uint8Array): Envelope {
  const envelope = decodeEnvelope(message)
  if (envelope.claim !== null) {
    throw new KreError(
      'unimplemented',
      'its payload is in an object bucket, which this runner does not read',
    )
  }
  if (envelope.encoding === ENCODING.gzip) {
    envelope.value = gunzipSync(envelope.value, { maxOutputLength: DECOMPRESSED_BYTES_MAX })
    envelope.encoding = ENCODING.none
  }
  return envelope
}

async function drain(
  subscriptions: readonly Subscription[],
  dispatcher: Dispatcher,
): Promise<void> {
  await Promise.all(subscriptions.map((subscription) => subscription.drain()))
  await dispatcher.idle()
}

/** `ctx` outside of a message: there is nothing to answer, everything else works. */
function outsideOfCalls(
  launch: NodeLaunch,
  services: DataServices,
  log: NodeLog,
): CallPort & ServiceCaller {
  let effects = 0
  const start = `${launch.versionId}/${launch.node}/${process.pid}-${Date.now()}`
  const outside: CallPort & ServiceCaller = {
    requestId: '',
    fromNode: '',
    kind: 'ok',
    payload: { typeUrl: '', value: new Uint8Array(0) },
    error: '',
    deadlineUnixMs: 0,
    deadlineAt: Infinity,
    attempt: 1,
    metadata: {},
    signal: new AbortController().signal,
    output: () => {
      throw new KreError(
        'failed-precondition',
        'nothing can be sent outside of a message, for example in init',
      )
    },
    log: (level, text) => log.write(level, text, null),
    service: (service, method, args, data = new Uint8Array(0)) =>
      services({ ...outside, requestId: null }, service, method, args, data),
    effectId: () => `${start}/${effects++}`,
  }
  return outside
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null // refused by the schema
  }
}

async function withinMs(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, timeout])
  clearTimeout(timer)
}

async function sleepMs(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms))
}
