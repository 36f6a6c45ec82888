import { randomUUID } from 'node:crypto'
import {
  type EntrypointLaunch,
  GRPC_STATUS,
  READINESS_SERVICE,
  replySubject,
} from '@kre/contracts/runtime'
import { createClaimStore } from '@kre/core-nats'
import { createWakeCaller, type JsonLogger } from '@kre/service-kit/runner'
import { createDoor, type Door } from './accept-stream.ts'
import { type Announcer, createAnnouncer, type Self } from './announcer.ts'
import { createHealth, type Health, HEALTH_SERVICE, SERVING_STATUS } from './doors/health.ts'
import { createByteBudget } from './grpc/byte-budget.ts'
import type { CallContext } from './grpc/unary-call.ts'
import type { Limits } from './limits.ts'
import { createEntrypointMetrics, type EntrypointMetrics } from './metrics/entrypoint-metrics.ts'
import { createRequestExamples, type RequestExamples } from './metrics/request-examples.ts'
import type { RequestSpans } from './metrics/request-spans.ts'
import { createNatsLink, type NatsLink } from './nats-link.ts'
import { createElapsedTimes } from './outputs/elapsed-times.ts'
import { createFailureLog } from './outputs/failure-log.ts'
import { createOutputPublisher, type OutputPublisher } from './outputs/output-publisher.ts'
import { createCancellations } from './requests/cancellations.ts'
import { createRequestPayloads } from './requests/request-payload.ts'
import { createRequestBroker, type RequestBroker } from './requests/request-broker.ts'
import { createTimerWheel } from './requests/timer-wheel.ts'
import { isComplete } from './versions/served-version.ts'
import { createVersionSet, type VersionSet } from './versions/version-set.ts'

/** The collaborators of one entrypoint, wired; nothing runs yet. */
export type EntrypointContext = {
  readonly self: Self
  readonly link: NatsLink
  readonly versions: VersionSet
  readonly broker: RequestBroker
  readonly health: Health
  readonly calls: CallContext
  readonly door: Door
  readonly announcer: Announcer
  readonly outputs: OutputPublisher
  /** Posts what was counted since the last call. */
  readonly report: () => void
  readonly metrics: EntrypointMetrics
  readonly examples: RequestExamples
}

/** Header status of NATS: nobody is subscribed. */
const NO_RESPONDERS = 503

export function createContext(
  launch: EntrypointLaunch,
  limits: Limits,
  logger: JsonLogger,
  spans: RequestSpans | null = null,
): EntrypointContext {
  const { runtimeId, version: servedVersion, payloadBytesMax } = launch
  const self: Self = {
    version: servedVersion,
    replica: launch.replica,
    incarnation: randomUUID(),
    address: null,
    isDraining: false,
  }
  const replyPrefix = replySubject(runtimeId, self.incarnation.replaceAll('-', ''), '')
  const link = createNatsLink(
    launch.nats,
    `entrypoint.${runtimeId}.${servedVersion ?? 'published'}.${launch.replica}`,
  )
  const wheel = createTimerWheel()
  const outputs = createOutputPublisher(link)
  const elapsed = createElapsedTimes(outputs, self.incarnation)
  const failureLog = createFailureLog(outputs, self.incarnation)
  const budget = createByteBudget(limits.bytesMax)
  const claims = createClaimStore(runtimeId, {
    publish: (subject, data, reply) => link.publish(subject, data, reply),
    subscribe: (subject, onMessage) => void link.subscribe(subject, onMessage),
    maxPayload: () => link.payloadBytesMax(),
    inboxPrefix: link.inboxPrefix,
  })
  const payloads = createRequestPayloads({
    claims,
    wheel,
    maxPayload: () => link.payloadBytesMax(),
    payloadBytesMax,
  })
  const publish = (subject: string, data: Uint8Array) =>
    void (link.isUp() && link.publish(subject, data))
  const callToWake = createWakeCaller(publish)
  const onRefused = (reason: string) => {
    broker.counts.refused++
    metrics.refused(reason)
  }
  const broker = createRequestBroker({
    payloads,
    limits,
    budget,
    requestTimeoutMs: launch.requestTimeoutMs,
    payloadBytesMax,
    link,
    wheel,
    replyPrefix,
    cancel: createCancellations(link),
    wake: (version, { id }) => callToWake({ ...version.ref, workflow: id }),
    onRefused,
    traced: (metadata) => (spans === null ? metadata : spans.begin(metadata)),
    onEnd(request, elapsedMs, failure) {
      metrics.ended(request, elapsedMs, failure)
      examples.ended(request, elapsedMs, failure)
      spans?.ended(request, elapsedMs, failure)
      elapsed.ended(request, elapsedMs, failure !== null)
      if (failure?.status === GRPC_STATUS.internal) failureLog.failed(request, failure)
    },
  })
  const metrics = createEntrypointMetrics(
    launch,
    { inFlight: () => broker.inFlight(), events: () => broker.counts },
    publish,
  )
  const examples = createRequestExamples(publish)
  const announcer = createAnnouncer(link, self)
  const versions = createVersionSet({
    runtimeId,
    version: servedVersion,
    link,
    staleMs: limits.staleMs,
    logger,
    onSwitched(version) {
      if (version !== null) announcer.announce(version)
      health.changed()
    },
    onNodesChanged(version) {
      broker.nodesChanged(version)
      health.changed()
    },
    onDeath: (version, death) => broker.died(version, death),
    onPing(version, reply) {
      if (version === versions.current()) announcer.announce(version, reply)
    },
  })
  link.subscribe(`${replyPrefix}*`, (message) => {
    const token = message.subject.slice(replyPrefix.length)
    if (message.status === NO_RESPONDERS) broker.nobodyListens(token)
    else broker.replied(token, message.data, message.reply)
  })
  let isKnown = false
  void versions.known.then(() => {
    isKnown = true
    health.changed()
  })
  let wasReady = false
  const health = createHealth((service) => {
    const version = versions.current()
    const isUp = !self.isDraining && link.isUp()
    // That nothing is published is an answer too.
    wasReady ||= isKnown && (version === null || isComplete(version))
    // Nodes that go are away for all entrypoints: without any of them, callers would be refused a connection.
    if (service === READINESS_SERVICE)
      return isUp && wasReady ? SERVING_STATUS.serving : SERVING_STATUS.notServing
    const names = ['', HEALTH_SERVICE, ...(version?.serviceNames ?? [])]
    if (!names.includes(service)) return SERVING_STATUS.serviceUnknown
    const isServing = isUp && version !== null && isComplete(version)
    return isServing ? SERVING_STATUS.serving : SERVING_STATUS.notServing
  })
  const calls: CallContext = {
    limits,
    payloadBytesMax,
    budget,
    wheel,
    receiving: 0,
    onRefused,
  }
  const door = createDoor({
    runtimeId,
    version: servedVersion,
    hasReflection: launch.reflection,
    origins: launch.cors?.origins ?? [],
    calls,
    current: () => versions.current(),
    look: () => versions.look(),
    broker,
    health,
    isUp: () => !self.isDraining && link.isUp(),
  })
  const report = () => {
    elapsed.post()
    failureLog.tick()
  }
  return {
    self,
    link,
    versions,
    broker,
    health,
    calls,
    door,
    announcer,
    outputs,
    report,
    metrics,
    examples,
  }
}
