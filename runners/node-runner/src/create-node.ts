/** One node of a workflow: wires broker, handlers and services. A process runs one, or several that feed each other. */
import { type Envelope, type KreError, type NodeLaunch, toKreError } from '@kre/contracts/runtime'
import { type CoreSubscription, openInbox } from '@kre/core-nats'
import { createWakeCaller } from '@kre/service-kit/runner'
import { Dispatcher } from './calls/dispatcher.ts'
import { openJournal, slotsOf } from './calls/journal.ts'
import type { CallOwner } from './calls/node-call.ts'
import { outsideOfCalls } from './calls/outside-calls.ts'
import { createCounters } from './counters.ts'
import { createArrivals } from './hops/arrivals.ts'
import { createHopSender } from './hops/hop-sender.ts'
import { createOutlet } from './hops/outlet.ts'
import { findSiblings, type Siblings } from './hops/siblings.ts'
import { createPayloadForms, PAYLOAD_BYTES_MAX } from './hops/payload-forms.ts'
import { receiver, subscribe } from './hops/subscribe.ts'
import { createNodeLog, type NodeLog } from './outputs/node-log.ts'
import { createOutbox, type Outbox } from './outputs/outbox.ts'
import { createTimings } from './outputs/timings.ts'
import { createAnnouncer } from './process/announcer.ts'
import { createNodeMetrics } from './process/metrics.ts'
import { noteMessage } from './process/release-memory.ts'
import { createRecentCalls, type RecentCalls } from './process/recent-calls.ts'
import { userEnvironment, writeConfigFiles } from './process/environment.ts'
import type { NodeProcess } from './node-process.ts'
import { openRuntime } from './open-runtime.ts'
import type { Runtime } from './runtime.ts'
import { openDataServices } from './services/open-data-services.ts'
import { wakeCompiler } from './process/wake-compiler.ts'

export type Node = {
  readonly log: NodeLog
  /** Whether its code is loaded. */
  readonly isOpen: boolean
  /** Loads the user's code. @throws KreError `failed-precondition` when it can't be loaded. */
  open(): Promise<void>
  /** Takes messages from now on. */
  listen(): void
  /** Takes part in the version, as far as others know. */
  ready(): void
  draining(): void
  /** A call is on the stack, so that what happens now is its doing. */
  hasCurrentCall(): boolean
  failRunning(what: string): void
  /** Takes nothing new from other processes; resolves when what was under way is here. */
  unsubscribe(): Promise<void>
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>
  /** Hands over records and messages that wait, within `withinMs`. */
  flush(withinMs: number): Promise<void>
  close(): Promise<void>
}

export function createNode(process: NodeProcess, launch: NodeLaunch): Node {
  const { connection, claims, stages } = process
  writeConfigFiles(launch)
  const counters = createCounters()
  const inbox = openInbox(connection)
  const journal = openJournal(launch.workPath, slotsOf(launch))
  const log: NodeLog = createNodeLog(
    launch,
    () => outbox,
    (text) => stages.said(text),
  )
  const outbox: Outbox = createOutbox(launch, connection, inbox, (records) => {
    counters.droppedLogs += records
    log.dropped(records)
  })
  const callToWake = createWakeCaller((subject, data) => connection.publish(subject, data))
  const hops = createHopSender(connection, inbox, counters, process.local, () => callToWake(launch))
  const payloadBytesMax = launch.payloadBytesMax ?? PAYLOAD_BYTES_MAX
  const forms = createPayloadForms(
    claims,
    launch.version,
    () => connection.maxPayload(),
    payloadBytesMax,
  )
  const outlet = createOutlet(launch, hops, forms, inbox, counters, (call, reason) =>
    dispatcher.stop(call, reason),
  )
  const services = openDataServices(launch, inbox, outbox, () => connection.maxPayload())
  const timings = createTimings(launch, outbox, counters)
  const metrics = createNodeMetrics(
    launch,
    counters,
    process.nodes.size,
    () => dispatcher.load,
    (subject, data) => connection.publish(subject, data),
  )
  const spans = process.tracing?.spansOf(launch) ?? null
  const owner: CallOwner = {
    send(call, kind, channel, payload, error) {
      if (recent?.isSampling === true && kind !== 'error') recent.sent(call, payload)
      return outlet.send(call, kind, channel, payload, error)
    },
    write(call, payload) {
      if (recent?.isSampling === true) recent.sent(call, payload)
      return outlet.write(call, payload)
    },
    log: (call, level, text) => log.write(level, text, call.requestId),
    service: services,
  }
  const dispatcher = new Dispatcher({
    launch,
    owner,
    outlet,
    journal,
    counters,
    onHandled(call, elapsedMs, success) {
      timings.handled(call, elapsedMs, success)
      metrics.handled(call, elapsedMs, success)
      recent?.handled(call, elapsedMs, success)
      spans?.handled(call, elapsedMs, success)
    },
    onFailure: (call, failure) => log.write('ERROR', failure.stack, call.requestId),
  })
  const arrived = (envelope: Envelope) => {
    wakeCompiler()
    noteMessage()
    return spans?.arrived(envelope) ?? envelope
  }
  const onCorrupt = (why: string) => {
    counters.corrupt++
    log.write('WARN', `a message was dropped: ${why}`, null)
  }
  const shareWork = () =>
    dispatcher.shareWith((onFree) => {
      siblings = findSiblings(launch, connection, inbox, {
        asArrived: (envelope) => spans?.asArrived(envelope) ?? envelope,
        onMessage: receiver((envelope) => dispatcher.accept(arrived(envelope), true), onCorrupt),
        onFree,
      })
      return siblings
    })
  const arrivals = createArrivals({
    forms,
    accept: (envelope) => dispatcher.accept(arrived(envelope)),
    onUnreadable(envelope, { code, message }: KreError) {
      const text = `node '${launch.nodeName}' can't read its message: ${message}`
      log.write('ERROR', text, envelope.requestId)
      try {
        outlet.tellCaller(envelope, code, text)
      } catch (error) {
        onCorrupt(`its caller can't be told: ${toKreError(error).message}`)
      }
    },
  })
  const { incarnation, onEngineAbsent } = process
  const announcer = createAnnouncer(
    launch,
    connection,
    { incarnation, interrupted: journal.interrupted },
    onEngineAbsent,
  )
  let runtime: Runtime | null = null
  let subscriptions: CoreSubscription[] = []
  let siblings: Siblings | null = null
  let recent: RecentCalls | null = null

  return {
    log,
    get isOpen() {
      return runtime !== null
    },
    async open() {
      runtime = await openRuntime({
        launch,
        dispatcher,
        services,
        log,
        isShared: process.nodes.size > 1,
        environment: userEnvironment(launch, process.ownEnvironment),
        ownEnvironment: process.ownEnvironment,
        outside: outsideOfCalls(launch, services, log),
        onStage: (stage) => stages.enter(stage),
        onFatal: process.onFatal,
      })
      dispatcher.start(runtime.host)
    },
    listen() {
      recent = createRecentCalls(launch, connection)
      subscriptions = subscribe(launch, process, runtime?.handlesErrors ?? false, {
        accept: (envelope) => arrivals.accept(envelope),
        cancel(requestIds) {
          arrivals.cancel(requestIds)
          dispatcher.cancel(requestIds)
        },
        corrupt: onCorrupt,
      })
      // Nodes that share a process hand their messages over in it.
      if (process.nodes.size === 1) shareWork()
    },
    ready: () => announcer.ready(),
    draining: () => announcer.draining(),
    hasCurrentCall: () => runtime?.hasCurrentCall() ?? false,
    failRunning: (what) => dispatcher.failRunning('internal', what),
    async unsubscribe() {
      await Promise.all([...subscriptions.map((one) => one.drain()), siblings?.close()])
    },
    async idle() {
      await arrivals.idle()
      await dispatcher.idle()
    },
    async flush(withinMs) {
      const endAt = performance.now() + withinMs
      runtime?.flush()
      timings.flush()
      metrics.stop()
      recent?.stop()
      while (hops.retrying > 0 && performance.now() < endAt)
        await new Promise((resolve) => setTimeout(resolve, RETRY_LOOK_MS))
      hops.giveUp()
    },
    async close() {
      log.flush()
      await outbox.flush(LAST_WORDS_MS)
      await runtime?.close()
      journal.close()
    },
  }
}

/** For records and messages that are left when the process ends. */
const LAST_WORDS_MS = 1_000
const RETRY_LOOK_MS = 10
