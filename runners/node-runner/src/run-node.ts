/** One node of a workflow: wires broker, handlers and services, and runs until it is told to stop. */
import { writeSync } from 'node:fs'
import { toKreError, type NodeLaunch } from '@kre/contracts/runtime'
import { openCoreConnection, type CoreSubscription } from '@kre/core-nats'
import { Dispatcher, slotsOf } from './calls/dispatcher.ts'
import { openJournal } from './calls/journal.ts'
import type { CallOwner } from './calls/node-call.ts'
import { outsideOfCalls } from './calls/outside-calls.ts'
import { createCounters } from './counters.ts'
import { EXIT } from './exit-codes.ts'
import { createHopSender, type HopSender } from './hops/hop-sender.ts'
import { openInbox } from './hops/inbox.ts'
import { createOutlet } from './hops/outlet.ts'
import { subscribe, whenSubscribed } from './hops/subscribe.ts'
import { createNodeLog, type NodeLog } from './outputs/node-log.ts'
import { createOutbox, type Outbox } from './outputs/outbox.ts'
import { createTimings, type Timings } from './outputs/timings.ts'
import { createAnnouncer } from './process/announcer.ts'
import { userEnvironment, writeConfigFiles } from './process/environment.ts'
import { openStartStages } from './process/start-stage.ts'
import type { Runtime, RuntimeDeps } from './runtime.ts'
import { openDataServices } from './services/open-data-services.ts'
import { createStockConnection } from './services/stock-connection.ts'

/** For records and messages that are left when the process ends. */
const LAST_WORDS_MS = 1_000

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
  const name = `node ${launch.workflow}/${launch.node}`
  const connection = openCoreConnection(launch.nats, name)
  const stock = createStockConnection(launch.nats, `${name} stores`)
  const stop = Promise.withResolvers<number>()
  signal.addEventListener('abort', () => stop.resolve(EXIT.ok), { once: true })
  await Promise.race([connection.whenUp(), stop.promise])
  const counters = createCounters()
  const inbox = openInbox(connection)
  const journal = openJournal(launch.workPath, slotsOf(launch))
  const stages = openStartStages(launch.workPath)
  const log: NodeLog = createNodeLog(
    launch,
    () => outbox,
    (text) => stages.said(text),
  )
  const outbox: Outbox = createOutbox(launch, connection, inbox, () => {
    counters.droppedLogs++
    log.dropped()
  })
  const hops = createHopSender(connection, inbox, counters)
  const outlet = createOutlet(launch, hops, inbox, counters, (call, reason) =>
    dispatcher.stop(call, reason),
  )
  const services = openDataServices(launch, stock, inbox, outbox)
  const timings = createTimings(launch, outbox, counters)
  const owner: CallOwner = {
    send: (call, kind, channel, payload, error) => outlet.send(call, kind, channel, payload, error),
    write: (call, payload) => outlet.write(call, payload),
    log: (call, level, text) => log.write(level, text, call.requestId),
    service: services,
  }
  const dispatcher = new Dispatcher({
    launch,
    owner,
    outlet,
    journal,
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

  connection.listen({
    onError: (error) => log.write('WARN', error.message, null),
    onLost: (reason) => onFatal(reason.message, EXIT.software),
  })

  let runtime: Runtime | null = null
  let exitCode: number = EXIT.ok
  let subscriptions: CoreSubscription[] = []
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
        onStage: (stage) => stages.enter(stage),
        onFatal,
      }),
      stop.promise.then(() => null),
    ])
    stages.close()
    if (runtime !== null) {
      dispatcher.start(runtime.host)
      subscriptions = subscribe(launch, connection, runtime.handlesErrors, {
        accept: (envelope) => dispatcher.accept(envelope),
        cancel: (requestIds) => dispatcher.cancel(requestIds),
        corrupt(why) {
          counters.corrupt++
          log.write('WARN', `a message was dropped: ${why}`, null)
        },
      })
      await Promise.race([whenSubscribed(connection), stop.promise])
      announcer.ready()
      await stop.promise
      announcer.draining()
    }
    exitCode = await stop.promise
    const work = { subscriptions, dispatcher, hops, outbox, timings }
    await windDown(work, runtime, exitCode === EXIT.ok ? launch.drainMs : 0)
  } catch (error) {
    log.write('ERROR', toKreError(error).message, null)
    await outbox.flush(LAST_WORDS_MS)
    throw error
  } finally {
    stages.close()
    await runtime?.close()
    journal.close()
    // Sends what is buffered; a broker that is away must not hold up the end.
    const sent = Promise.allSettled([connection.drain(), stock.close()])
    await withinMs(sent, LAST_WORDS_MS)
    connection.close()
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

type Work = {
  subscriptions: readonly CoreSubscription[]
  dispatcher: Dispatcher
  hops: HopSender
  outbox: Outbox
  timings: Timings
}

/** Takes nothing new, finishes what is there within `drainMs`, and sends what is left to say. */
async function windDown(work: Work, runtime: Runtime | null, drainMs: number): Promise<void> {
  const { subscriptions, dispatcher, hops, outbox, timings } = work
  const endAt = performance.now() + drainMs
  const drained = Promise.all(subscriptions.map((subscription) => subscription.drain()))
  await withinMs(
    drained.then(() => dispatcher.idle()),
    drainMs,
  )
  runtime?.flush()
  timings.flush()
  if (deps.launch.runner === 'onnx') {
    const { openOnnxRuntime } = await import('./onnx/onnx-runtime.ts')
    return openOnnxRuntime(deps)
  }
  while (hops.retrying > 0 && performance.now() < endAt) await sleepMs(10)
  await outbox.flush(LAST_WORDS_MS)
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
