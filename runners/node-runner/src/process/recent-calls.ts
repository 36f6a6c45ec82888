/**
 * The calls of a node's last moments, so that it can say what it knows of requests that turn out to be worth keeping.
 * Written for the path of requests: a call is a few stores into arrays that are there already.
 */
import {
  controlSubject,
  SECOND_MS,
  type NodeLaunch,
  type RequestSteps,
} from '@kre/contracts/runtime'
import type { CoreConnection } from '@kre/core-nats'
import { wallClockMs } from '@kre/service-kit/runner'
import type { Payload } from '@kre/sdk'
import type { NodeCall } from '../calls/node-call.ts'
import { createMessageSamples } from './message-samples.ts'

/** Calls that are remembered: of 16,000 a second, those since the last examples were said. A power of two. */
const CALLS_MAX = 4_096
/** Requests are kept in mind for so long, since side branches go on after the answer: at most twice this. */
const WANTED_MS = 15 * SECOND_MS
const WANTED_MAX = 2_000
/** Steps wait so long for others. */
const GATHER_MS = 100
/** In one message. */
const STEPS_MAX = 500
/** In one message of steps with samples, which have up to 44 KiB each. */
const SAMPLED_STEPS_MAX = 4
/** Messages of one request that are sampled in a node, the first ones. */
const SAMPLES_OF_REQUEST_MAX = 8
/** Requests are sampled so often at most, however many entrypoints mark one a second. */
const SAMPLE_GAP_MS = 0.8 * SECOND_MS

type Step = RequestSteps['steps'][number]

export type RecentCalls = {
  /** Whether `sent` wants to know of outputs: while somebody asks for samples. */
  readonly isSampling: boolean
  sent(call: NodeCall, payload: Payload): void
  /** After each handler's end. */
  handled(call: NodeCall, elapsedMs: number, success: boolean): void
  stop(): void
}

export function createRecentCalls(
  launch: NodeLaunch,
  connection: Pick<CoreConnection, 'publish' | 'subscribe' | 'isUp'>,
): RecentCalls {
  const ring = createCallRing()
  const wanted = createWantedRequests()
  const samples = createMessageSamples(launch, connection, CALLS_MAX)
  /** The request that is sampled, and when that began. */
  let sampled = { id: '', at: -Infinity, left: 0 }
  let steps: Step[] = []
  let timer: NodeJS.Timeout | undefined

  const say = () => {
    timer = undefined
    const said = steps
    steps = []
    // Examples are not worth waiting for the broker.
    if (!connection.isUp()) return
    const subject = controlSubject(launch, 'steps')
    const { workflow, node } = launch
    for (const part of inMessages(said)) {
      const message: RequestSteps = { workflow, node, steps: part }
      connection.publish(subject, Buffer.from(JSON.stringify(message)))
    }
  }
  const add = (at: number) => {
    const step = ring.step(at)
    const isSampled = step.requestId === sampled.id && sampled.left > 0
    if (isSampled) sampled.left--
    steps.push(isSampled ? { ...step, ...samples.of(at) } : step)
    timer ??= setTimeout(say, GATHER_MS).unref()
  }
  const beginSampling = (id: string) => {
    const now = performance.now()
    if (now - sampled.at >= SAMPLE_GAP_MS) sampled = { id, at: now, left: SAMPLES_OF_REQUEST_MAX }
  }
  const subscription = connection.subscribe(controlSubject(launch, 'kept'), {
    onMessage({ data }) {
      const { ids, sampledId } = requestsOf(data, launch.workflow)
      if (ids.size === 0) return
      if (sampledId !== null && samples.isOn) beginSampling(sampledId)
      wanted.add(ids)
      ring.find(ids, add)
    },
  })

  return {
    get isSampling() {
      return samples.isOn
    },
    sent: (call, payload) => samples.sent(call, payload),
    handled(call, elapsedMs, success) {
      const at = ring.push(call, elapsedMs, success)
      if (samples.isOn) samples.handled(call, at)
      if (wanted.has(call.envelope.requestId)) add(at)
    },
    stop() {
      subscription.unsubscribe()
      clearTimeout(timer)
      say()
      samples.stop()
    },
  }
}

/** Few enough in each that no message is too large for the server. */
function inMessages(steps: readonly Step[]): Step[][] {
  const messages: Step[][] = []
  const of = (own: readonly Step[], max: number) => {
    for (let at = 0; at < own.length; at += max) messages.push(own.slice(at, at + max))
  }
  of(
    steps.filter(({ input }) => input === undefined),
    STEPS_MAX,
  )
  of(
    steps.filter(({ input }) => input !== undefined),
    SAMPLED_STEPS_MAX,
  )
  return messages
}

/** Columns of what is remembered: five numbers and three references a call. */
function createCallRing() {
  const requestIds: string[] = Array.from({ length: CALLS_MAX }, () => '')
  const fromNodes: string[] = Array.from({ length: CALLS_MAX }, () => '')
  const lineages = new Float64Array(CALLS_MAX)
  const attempts = new Int32Array(CALLS_MAX)
  const arrivedAt = new Float64Array(CALLS_MAX)
  const sentUnixMs = new Float64Array(CALLS_MAX)
  const queueMs = new Float64Array(CALLS_MAX)
  const handlerMs = new Float64Array(CALLS_MAX)
  const bytes = new Float64Array(CALLS_MAX)
  const succeeded = new Uint8Array(CALLS_MAX)
  let next = 0

  const step = (at: number): Step => {
    const arrivedUnixMs = wallClockMs(arrivedAt[at])
    const sent = sentUnixMs[at] as number
    const attempt = attempts[at] as number
    return {
      requestId: requestIds[at] as string,
      id: `${(lineages[at] as number).toString(16)}.${attempt}`,
      fromNode: fromNodes[at] as string,
      attempt,
      arrivedUnixMs,
      transportMs: sent === 0 ? null : Math.max(0, arrivedUnixMs - sent),
      queueMs: queueMs[at] as number,
      handlerMs: handlerMs[at] as number,
      ok: succeeded[at] === 1,
      bytes: bytes[at] as number,
    }
  }
  return {
    step,
    push(call: NodeCall, elapsedMs: number, success: boolean): number {
      const { envelope } = call
      const at = next
      next = (next + 1) % CALLS_MAX
      requestIds[at] = envelope.requestId
      fromNodes[at] = envelope.fromNode
      lineages[at] = envelope.lineage
      attempts[at] = call.attempt
      arrivedAt[at] = call.arrivedAt
      sentUnixMs[at] = envelope.sentUnixUs / 1_000
      queueMs[at] = Math.max(0, call.startedAt - call.arrivedAt)
      handlerMs[at] = Math.max(0, elapsedMs)
      bytes[at] = envelope.claim?.size ?? envelope.value.length
      succeeded[at] = success ? 1 : 0
      return at
    },
    find(ids: ReadonlySet<string>, found: (at: number) => void): void {
      for (let at = 0; at < CALLS_MAX; at++) if (ids.has(requestIds[at] as string)) found(at)
    },
  }
}

/** Requests whose later calls are wanted too; forgotten after a while. */
function createWantedRequests() {
  let current = new Set<string>()
  let before = new Set<string>()
  let turnedAt = 0
  const turn = () => {
    const now = performance.now()
    if (now - turnedAt < WANTED_MS && current.size < WANTED_MAX) return
    // What nobody added to for two turns is old altogether.
    before = now - turnedAt < 2 * WANTED_MS ? current : new Set()
    current = new Set()
    turnedAt = now
  }
  return {
    add(ids: ReadonlySet<string>): void {
      turn()
      for (const id of ids) current.add(id)
    },
    has: (id: string): boolean =>
      (current.size > 0 && current.has(id)) || (before.size > 0 && before.has(id)),
  }
}

type Wanted = { ids: ReadonlySet<string>; sampledId: string | null }
type Named = { id?: unknown; workflow?: unknown; sampled?: unknown } | null

/** What is no list of requests names none. */
function requestsOf(data: Uint8Array, workflow: string): Wanted {
  const ids = new Set<string>()
  let sampledId: string | null = null
  try {
    const { requests } = JSON.parse(Buffer.from(data).toString('utf8')) as { requests?: unknown }
    if (Array.isArray(requests))
      for (const request of requests as Named[]) {
        if (typeof request?.id !== 'string' || request.id === '') continue
        ids.add(request.id)
        if (request.sampled === true && request.workflow === workflow) sampledId ??= request.id
      }
  } catch {
    return { ids: new Set(), sampledId: null } // it is not JSON, or not an object
  }
  return { ids, sampledId }
}
