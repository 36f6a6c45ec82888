/**
 * Decides which message is handled when: slots, queue, deadlines, cancellation, retries.
 * Nothing here waits: it is called by the broker's callbacks, by the handlers' ends and by one timer.
 */
import {
  KreError,
  toKreError,
  type Envelope,
  type ErrorCode,
  type NodeLaunch,
} from '@kre/contracts/runtime'
import type { Counters } from '../counters.ts'
import type { Outlet } from '../hops/outlet.ts'
import type { Siblings } from '../hops/siblings.ts'
import type { NodeLoad } from '../process/metrics.ts'
import { createAlarm } from './alarm.ts'
import { batchWaitMs, isAlone, type BatchLimits } from './batch-window.ts'
import { slotsOf, type Journal } from './journal.ts'
import { NodeCall, type CallOwner } from './node-call.ts'
import type { Failure, HandlerHost } from './handler-host.ts'
import { createRetries } from './retries.ts'
import { createWaitingCalls, type Overload, type WaitingCalls } from './waiting-calls.ts'
import { createWorkSharing, type WorkSharing } from './work-sharing.ts'

export type DispatcherDeps = {
  readonly launch: NodeLaunch
  readonly owner: CallOwner
  readonly outlet: Outlet
  readonly journal: Journal
  readonly counters: Counters
  /** Told after each handler's end. */
  readonly onHandled: (call: NodeCall, elapsedMs: number, success: boolean) => void
  readonly onFailure: (call: NodeCall, failure: Failure) => void
}

export class Dispatcher {
  readonly #deps: DispatcherDeps
  readonly #waiting: WaitingCalls
  #sharing: WorkSharing | null = null
  /** With the host, those that it was given ahead included. */
  readonly #running = new Set<NodeCall>()
  /** Those of them without a slot: their handlers do not run yet. */
  readonly #ahead: NodeCall[] = []
  readonly #retries = createRetries((call) => this.#enqueue(call, performance.now()))
  readonly #freeSlots: number[]
  #host: HandlerHost | null = null
  #pumping = false
  #batches = 0
  #batchTimer: NodeJS.Timeout | undefined
  #isPumpDue = false
  #isDraining = false
  readonly #alarm = createAlarm(() => this.#onDeadline())
  #onIdle: (() => void) | null = null

  constructor(deps: DispatcherDeps) {
    this.#deps = deps
    this.#waiting = createWaitingCalls(deps.launch, deps.counters, (call, overload) =>
      this.#refuse(call, overload),
    )
    this.#freeSlots = Array.from({ length: slotsOf(deps.launch) }, (_, slot) => slot).reverse()
  }

  start(host: HandlerHost): void {
    this.#host = host
    this.#pump()
  }

  /** Gives to other replicas what they have slots for, from now on. */
  shareWith(find: (onFree: () => void) => Siblings): void {
    this.#sharing = createWorkSharing({
      siblings: find(() => this.#pump()),
      waiting: this.#waiting,
      counters: this.#deps.counters,
      isBusy: () => this.#freeNow() === 0,
      onReturned: () => this.#pump(),
    })
    this.#pump()
  }

  get running(): ReadonlySet<NodeCall> {
    return this.#running
  }

  /** Messages that the host was given ahead wait, too. */
  get load(): NodeLoad {
    const queued = this.#waiting.length + this.#ahead.length
    const running = this.#running.size - this.#ahead.length
    const elsewhere = this.#retries.size + (this.#sharing?.underWay.size ?? 0)
    const oldest = Math.min(this.#waiting.oldestArrival, this.#ahead[0]?.arrivedAt ?? Infinity)
    return {
      queued,
      inFlight: queued + running + elsewhere,
      queueAgeMs: Math.max(0, oldest === Infinity ? 0 : performance.now() - oldest),
    }
  }

  /** @param isHandedOver it waited at another replica. */
  accept(envelope: Envelope, isHandedOver = false): void {
    const now = performance.now()
    const deadlineAt =
      envelope.deadlineUnixMs === 0 ? Infinity : now + envelope.deadlineUnixMs - Date.now()
    if (deadlineAt <= now) {
      this.#deps.counters.expired++
      return
    }
    const attempt = Math.max(envelope.attempt, 1)
    const call = new NodeCall(this.#deps.owner, envelope, attempt, deadlineAt)
    call.isHandedOver = isHandedOver
    this.#enqueue(call, now)
  }

  /** @param elapsedMs of the handler, where the host has measured it. */
  done(call: NodeCall, elapsedMs?: number): void {
    if (call.isOver) return
    let rest: Promise<void> | undefined
    try {
      rest = this.#deps.outlet.finish(call)
    } catch (error) {
      return this.failed(call, unsent(error), elapsedMs)
    }
    if (rest === undefined) return this.#finish(call, true, elapsedMs)
    rest.then(
      () => call.isOver || this.#finish(call, true, elapsedMs),
      (error: unknown) => this.failed(call, unsent(error), elapsedMs),
    )
  }

  failed(call: NodeCall, failure: Failure, elapsedMs?: number): void {
    if (call.isOver) return
    const { launch, outlet, onFailure } = this.#deps
    const tries = call.attempt - Math.max(call.envelope.attempt, 1)
    // The caller has parts of the answer already: another try would repeat them.
    const hasStreamed = call.stream?.hasSent === true
    if (failure.retryAfterMs !== null && !hasStreamed && tries < launch.retries.max) {
      const waitMs = failure.retryAfterMs
      if (performance.now() + waitMs < this.#requestDeadline(call)) {
        this.#retryLater(call, waitMs)
        this.#finish(call, false, elapsedMs)
        return
      }
    }
    onFailure(call, failure)
    this.#fail(() => outlet.fail(call, failure.code, failure.text))
    this.#finish(call, false, elapsedMs)
  }

  /** Fails everything that is in a handler: the process is about to end. What only waits is sent again. */
  failRunning(code: ErrorCode, text: string): void {
    this.#ahead.length = 0
    for (const call of this.#running) {
      if (call.slot === -1) continue
      if (!call.isOver) this.#fail(() => this.#deps.outlet.fail(call, code, text))
      this.#release(call)
    }
    this.#deps.journal.flush()
  }

  cancel(requestIds: ReadonlySet<string>): void {
    for (const call of this.#waiting) if (requestIds.has(call.requestId)) this.#drop(call)
    for (const call of this.#sharing?.underWay ?? [])
      if (requestIds.has(call.requestId)) this.#drop(call)
    for (const call of this.#retries) if (requestIds.has(call.requestId)) this.#drop(call)
    for (const call of this.#running) {
      if (!requestIds.has(call.requestId)) continue
      this.#deps.counters.cancelled++
      this.#abandon(call, new KreError('cancelled', 'the caller has gone'))
    }
    this.#pump()
  }

  /** Ends one call: nobody takes its stream any more. */
  stop(call: NodeCall, reason: KreError): void {
    if (!this.#running.has(call)) return
    this.#deps.counters.cancelled++
    this.#abandon(call, reason)
    this.#pump()
  }

  /** Waits for nothing to fill a batch any more, and resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    this.#isDraining = true
    this.#pump()
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  #isIdle(): boolean {
    const underWay = this.#sharing?.underWay.size ?? 0
    const waiting = this.#waiting.length + this.#retries.size + underWay
    return this.#running.size === 0 && waiting === 0
  }

  #enqueue(call: NodeCall, now: number): void {
    call.arrivedAt = now
    const overload = this.#waiting.push(call, now)
    if (overload !== null) return this.#refuse(call, overload)
    if (this.#deps.launch.batch === undefined) return this.#pump()
    // What one read of the socket brings is one batch.
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    process.nextTick(() => {
      this.#isPumpDue = false
      this.#pump()
    })
  }

  #pump(): void {
    // A handler that ends at once calls back from inside: the loop goes on instead of going deeper.
    if (this.#pumping || this.#host === null) return
    this.#pumping = true
    const { batch } = this.#deps.launch
    if (batch === undefined) this.#runWaiting(this.#host)
    else this.#runBatches(this.#host, batch)
    this.#pumping = false
    this.#sharing?.changed(this.#isDraining ? 0 : this.#freeNow())
    if (this.#onIdle !== null && this.#isIdle()) this.#onIdle()
  }

  #runWaiting(host: HandlerHost): void {
    while (this.#freeSlots.length > 0 || host.takesAhead) {
      const call = this.#waiting.shift()
      if (call === undefined) return
      const now = performance.now()
      if (!this.#waiting.isDue(call, now)) continue
      this.#give(call, now)
      host.run(call)
    }
  }

  #runBatches(host: HandlerHost, limits: BatchLimits): void {
    clearTimeout(this.#batchTimer)
    while (this.#freeNow() > 0) {
      const now = performance.now()
      const { first } = this.#waiting
      if (first === undefined) return
      const waitMs = batchWaitMs(limits, first, this.#waiting.length, now, this.#isDraining)
      if (waitMs > 0) {
        this.#batchTimer = setTimeout(() => this.#pump(), waitMs)
        return
      }
      const calls = this.#takeBatch(limits.maxSize, now)
      if (calls.length === 0) continue
      this.#batches++
      const batch = { open: calls.length }
      for (const call of calls) {
        call.batch = batch
        this.#give(call, now)
      }
      host.runBatch(calls)
    }
  }

  #takeBatch(maxSize: number, now: number): NodeCall[] {
    const calls: NodeCall[] = []
    const room = Math.min(maxSize, this.#freeSlots.length)
    while (calls.length < room) {
      const next = this.#waiting.first
      if (next === undefined) break
      const byItself = isAlone(next)
      if (byItself && calls.length > 0) break
      this.#waiting.shift()
      if (!this.#waiting.isDue(next, now)) continue
      calls.push(next)
      if (byItself) break
    }
    return calls
  }

  /** Calls that could begin now. */
  #freeNow(): number {
    const { batch, concurrency } = this.#deps.launch
    return batch === undefined || this.#batches < concurrency ? this.#freeSlots.length : 0
  }

  #refuse(call: NodeCall, { text, retryAfterMs }: Overload): void {
    call.isOver = true
    this.#fail(() => this.#deps.outlet.refuse(call.envelope, text, retryAfterMs))
  }

  #give(call: NodeCall, now: number): void {
    this.#running.add(call)
    const slot = this.#freeSlots.pop()
    if (slot !== undefined) return this.#begin(call, slot, now)
    this.#ahead.push(call)
    this.#alarm.ringAt(call.deadlineAt)
  }

  #begin(call: NodeCall, slot: number, now: number): void {
    const { launch, journal } = this.#deps
    call.slot = slot
    call.startedAt = now
    if (launch.timeoutMs !== null)
      call.deadlineAt = Math.min(call.deadlineAt, now + launch.timeoutMs)
    journal.enter(call.slot, call.requestId, call.deadlineAt)
    this.#alarm.ringAt(call.deadlineAt)
  }

  #finish(call: NodeCall, success: boolean, elapsedMs?: number): void {
    call.isOver = true
    const tookMs = elapsedMs ?? performance.now() - call.startedAt
    this.#deps.onHandled(call, tookMs, success)
    this.#sharing?.ended(tookMs)
    this.#release(call)
    this.#pump()
  }

  #release(call: NodeCall): void {
    call.isOver = true
    call.stream?.close(CALL_OVER)
    if (!this.#running.delete(call)) return
    if (call.slot === -1) {
      const place = this.#ahead.indexOf(call)
      if (place !== -1) this.#ahead.splice(place, 1)
      return
    }
    if (call.batch !== null && --call.batch.open === 0) this.#batches--
    this.#deps.journal.leave(call.slot)
    const next = this.#ahead.shift()
    if (next === undefined) this.#freeSlots.push(call.slot)
    else this.#begin(next, call.slot, performance.now())
  }

  #abandon(call: NodeCall, reason: KreError): void {
    if (call.slot !== -1) this.#deps.onHandled(call, performance.now() - call.startedAt, false)
    call.abort(reason)
    this.#release(call)
    this.#host?.abandon(call)
  }

  #drop(call: NodeCall): void {
    call.isOver = true
    this.#retries.drop(call)
    this.#deps.counters.cancelled++
  }

  #retryLater(call: NodeCall, waitMs: number): void {
    const { owner, counters } = this.#deps
    counters.retries++
    const deadlineAt = this.#requestDeadline(call)
    const again = new NodeCall(owner, call.envelope, call.attempt + 1, deadlineAt)
    this.#retries.add(again, waitMs)
  }

  #requestDeadline(call: NodeCall): number {
    const { deadlineUnixMs } = call.envelope
    return deadlineUnixMs === 0 ? Infinity : performance.now() + deadlineUnixMs - Date.now()
  }

  // --- deadlines: one timer for all calls, and none for calls that end in time ------------------

  #onDeadline(): void {
    const { launch, counters, outlet } = this.#deps
    const now = performance.now()
    let next = Infinity
    for (const call of this.#running) {
      if (call.deadlineAt > now) {
        next = Math.min(next, call.deadlineAt)
        continue
      }
      if (call.slot === -1) {
        counters.expired++
        this.#abandon(call, new KreError('deadline-exceeded', 'nobody waits for the message'))
        continue
      }
      counters.overdue++
      const text = `node '${launch.nodeName}' did not finish within its deadline`
      this.#fail(() => outlet.tellCaller(call.envelope, 'deadline-exceeded', text))
      this.#abandon(call, new KreError('deadline-exceeded', text))
    }
    this.#alarm.ringAt(next)
    this.#pump()
  }

  /** Telling of a failure can fail itself, for example while the connection closes: logged, there is nobody else to tell. */
  #fail(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      const { code, message } = toKreError(error)
      process.emitWarning(`a failure could not be reported: ${message}`, { code })
    }
  }
}

const CALL_OVER = new KreError('cancelled', 'the call of the handler is over')

function unsent(error: unknown): Failure {
  const { code, message, stack } = toKreError(error)
  return {
    text: message,
    stack: stack ?? message,
    code: code === 'resource-exhausted' ? code : 'internal',
    retryAfterMs: null,
  }
}
