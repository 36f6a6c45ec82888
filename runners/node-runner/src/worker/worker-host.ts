/**
 * Runs handlers in a worker process and keeps such a process alive. A worker that dies is replaced at once.
 * What it ran is given to the next one a single time when the death came from outside; what it had not begun, always.
 */
import { KreError, SECOND_MS, toKreError } from '@kre/contracts/runtime'
import type { FrameChannel, WorkerFrame } from '@kre/wire'
import type { HandlerHost } from '../calls/handler-host.ts'
import type { NodeCall } from '../calls/node-call.ts'
import { EXIT } from '../exit-codes.ts'
import type { RuntimeDeps } from '../runtime.ts'
import { answerCall } from './answer-call.ts'
import { FAILURE_CODES, handleFrame, LEVELS, OUTPUT_KINDS } from './call-frames.ts'
import { AHEAD_BYTES_MAX, AHEAD_CALLS_MAX, createReadAhead } from './read-ahead.ts'
import type { RunningFile } from './running-file.ts'
import {
  startWorker,
  type WorkerEnd,
  type WorkerProcess,
  type WorkerStart,
} from './worker-process.ts'

/** A handler that was told to stop gets so long before its process is ended. */
const KILL_AFTER_CANCEL_MS = 1 * SECOND_MS
/** Waits between starts of workers that die before they are ready, in milliseconds. */
const RESTART_WAITS_MS = [0, 100, 500, 2_000, 5_000] as const
const CALL_ID_MAX = 2 ** 32 - 1

/** One call of the handler: with one message, or with those of a batch. */
type Run = {
  readonly items: Given[]
  /** Workers that died with it in its handler. */
  deaths: number
  killTimer?: NodeJS.Timeout | undefined
}
type Given = { readonly id: number; readonly call: NodeCall; readonly run: Run }
type StartOptions = Pick<WorkerStart, 'command' | 'environment' | 'socketPath' | 'init'>

export class WorkerHost implements HandlerHost {
  readonly #deps: RuntimeDeps
  readonly #options: StartOptions
  readonly #stopping = new AbortController()
  readonly #runningFile: RunningFile
  readonly #readAhead = createReadAhead()
  /** In the worker's hands, calls that are over and not yet answered for included. */
  readonly #given = new Map<number, Given>()
  readonly #runs = new Set<Run>()
  #givenBytes = 0
  /** Waits for a worker, or for a place in it. */
  #waiting: Run[] = []
  #worker: WorkerProcess | null = null
  #channel: FrameChannel | null = null
  #lastId = 0
  /** Set when a worker is ended because of one call: the others are not to blame. */
  #killedFor: Run | null = null

  constructor(deps: RuntimeDeps, runningFile: RunningFile, options: StartOptions) {
    this.#deps = deps
    this.#runningFile = runningFile
    this.#options = options
  }

  /** @returns whether the handler takes errors. @throws KreError when the worker can't be started. */
  async start(): Promise<boolean> {
    this.#runningFile.reset()
    this.#worker = await startWorker({
      launch: this.#deps.launch,
      ...this.#options,
      onFrame: (frame) => this.#onFrame(frame),
      onLine: ({ level, text, date }) =>
        this.#deps.log.write(level, text, this.#onlyRequestId(), date),
      onEnd: (end) => this.#onEnd(end),
      onChannel: (channel) => (this.#channel = channel),
      signal: this.#stopping.signal,
    })
    this.#giveWaiting()
    return this.#worker.handlesErrors
  }

  /** A batch gains nothing from it: the messages that wait make the next one larger. */
  get takesAhead(): boolean {
    return (
      this.#worker?.readsAhead === true &&
      this.#deps.launch.batch === undefined &&
      this.#waiting.length === 0 &&
      this.#runs.size < this.#deps.launch.concurrency + this.#readAhead.calls &&
      this.#givenBytes < AHEAD_BYTES_MAX
    )
  }

  run(call: NodeCall): void {
    this.runBatch([call])
  }

  runBatch(calls: readonly NodeCall[]): void {
    this.#waiting.push(this.#newRun(calls, 0))
    this.#giveWaiting()
  }

  abandon(call: NodeCall): void {
    this.#waiting = this.#waiting.filter((run) => !isOver(run))
    for (const given of this.#given.values()) {
      if (given.call !== call) continue
      this.#worker?.send({ kind: 'cancel', callId: given.id })
      if (isOver(given.run)) this.#killLater(given.run)
      return
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    for (const run of this.#runs) clearTimeout(run.killTimer)
    await this.#worker?.drain()
    this.#worker = null
    this.#runningFile.close()
  }

  #newRun(calls: readonly NodeCall[], deaths: number): Run {
    const run: Run = { items: [], deaths }
    for (const call of calls) {
      this.#lastId = (this.#lastId % CALL_ID_MAX) + 1
      run.items.push({ id: this.#lastId, call, run })
    }
    return run
  }

  #giveWaiting(): void {
    while (this.#worker !== null && this.#runs.size < this.#runsMax()) {
      const run = this.#waiting.shift()
      if (run === undefined) return
      const alive = run.items.filter(({ call }) => !call.isOver)
      run.items.splice(0, run.items.length, ...alive)
      this.#give(run, this.#worker)
    }
  }

  #runsMax(): number {
    const { concurrency, batch } = this.#deps.launch
    return batch === undefined && this.#worker?.readsAhead === true
      ? concurrency + AHEAD_CALLS_MAX
      : concurrency
  }

  #give({ items }: Run, worker: WorkerProcess): void {
    const isBatch = this.#deps.launch.batch !== undefined
    items.forEach((given, index) => {
      this.#given.set(given.id, given)
      this.#runs.add(given.run)
      this.#givenBytes += given.call.envelope.value.length
      try {
        const attempt = given.call.attempt + given.run.deaths
        worker.send(handleFrame(given.id, given.call, attempt, isBatch ? items.length - index : 0))
      } catch (error) {
        this.#over(given.id)
        this.#fail(given.call, toKreError(error))
      }
    })
  }

  /** Ends the worker when it does not let go of a run that is over. One that it has not begun ends by itself. */
  #killLater(run: Run): void {
    run.killTimer ??= setTimeout(() => {
      run.killTimer = undefined
      if (!this.#runs.has(run)) return
      if (!isAmong(run, this.#begun())) return this.#killLater(run)
      this.#killedFor = run
      this.#worker?.kill()
    }, KILL_AFTER_CANCEL_MS)
  }

  /** Ids of the calls whose handlers run, where the worker may have others; null = all. */
  #begun(): ReadonlySet<number> | null {
    const isKnown = this.#worker?.readsAhead === true && this.#deps.launch.batch === undefined
    return isKnown ? this.#runningFile.read() : null
  }

  #onFrame(frame: WorkerFrame): void {
    switch (frame.kind) {
      case 'output':
        return this.#onOutput(frame)
      case 'call':
        return this.#onCall(frame)
      case 'done': {
        const given = this.#over(frame.callId)
        if (given !== undefined)
          this.#deps.dispatcher.done(given.call, this.#elapsedMs(frame.elapsedUs))
        return this.#giveWaiting()
      }
      case 'failed': {
        const given = this.#over(frame.callId)
        if (given !== undefined) {
          const failure = {
            text: frame.text,
            stack: frame.stack || frame.text,
            code: FAILURE_CODES[frame.statusCode] ?? 'internal',
            retryAfterMs: frame.retryable
              ? frame.retryAfterMs || this.#deps.launch.retries.backoffMs
              : null,
          } as const
          this.#deps.dispatcher.failed(given.call, failure, this.#elapsedMs(frame.elapsedUs))
        }
        return this.#giveWaiting()
      }
      case 'log': {
        const requestId = this.#given.get(frame.callId)?.call.requestId ?? null
        this.#deps.log.write(LEVELS[frame.level] ?? 'INFO', frame.text, requestId)
        return
      }
      case 'loaded':
        return this.#deps.onStage('init')
      case 'hello':
      case 'initDone':
      case 'initFailed':
      case 'init':
      case 'handle':
      case 'callResult':
      case 'cancel':
      case 'drain':
        this.#deps.log.write('WARN', `the worker sent an unexpected frame: ${frame.kind}`, null)
    }
  }

  #elapsedMs(elapsedUs: number): number | undefined {
    if (elapsedUs === 0) return undefined
    this.#readAhead.ended(elapsedUs / 1_000)
    return elapsedUs / 1_000
  }

  #onOutput(frame: WorkerFrame<'output'>): void {
    const call = this.#given.get(frame.callId)?.call
    const kind = OUTPUT_KINDS[frame.messageType]
    if (call === undefined || kind === undefined) return
    try {
      void call.output(kind, frame.channel, frame, frame.error)
    } catch (error) {
      // The output's failure is the call's; the worker goes on and its end is then of no interest.
      this.#fail(call, toKreError(error))
    }
  }

  #onCall(frame: WorkerFrame<'call'>): void {
    const caller = this.#given.get(frame.callId)?.call ?? this.#deps.outside
    if (this.#channel !== null) void answerCall(frame, caller, this.#deps.services, this.#channel)
  }

  #onEnd(end: WorkerEnd): void {
    const begun = this.#begun()
    this.#worker = null
    this.#channel = null
    const culprit = this.#killedFor
    this.#killedFor = null
    const { nodeName } = this.#deps.launch
    this.#deps.log.write(
      'ERROR',
      `the worker of node '${nodeName}' died (${end.text}); starting a new one`,
      null,
    )
    const again: Run[] = []
    for (const run of this.#runs) {
      clearTimeout(run.killTimer)
      run.killTimer = undefined
      if (isOver(run)) continue
      if (culprit !== null || !isAmong(run, begun)) again.push(run)
      else again.push(...this.#afterDeath(run, end))
    }
    this.#runs.clear()
    this.#given.clear()
    this.#givenBytes = 0
    this.#waiting.unshift(...again)
    void this.#restart(0)
  }

  /** @returns what is tried once more of a run whose worker died in its handler. */
  #afterDeath(run: Run, end: WorkerEnd): Run[] {
    const deaths = run.deaths + 1
    const { nodeName } = this.#deps.launch
    const text = `the worker of node '${nodeName}' died (${end.text}) while handling this request`
    // The caller has parts of the answer already: another try would repeat them.
    for (const { call } of run.items)
      if (call.stream?.hasSent === true) this.#fail(call, new KreError('aborted', text))
    if (isOver(run)) return []
    // One of them may be to blame: alone it takes no other along.
    if (run.items.length > 1)
      return run.items
        .filter(({ call }) => !call.isOver)
        .map(({ call }) => this.#newRun([call], deaths))
    // A process that exits by itself does so again; one that was killed may have had bad luck, once.
    if (end.signal !== null && deaths === 1) {
      run.deaths = deaths
      return [run]
    }
    for (const { call } of run.items) this.#fail(call, new KreError('aborted', text))
    return []
  }

  async #restart(tries: number): Promise<void> {
    const waitMs = RESTART_WAITS_MS[tries]
    try {
      if (waitMs !== undefined && waitMs > 0) await abortableSleep(waitMs, this.#stopping.signal)
      if (this.#stopping.signal.aborted) return
      await this.start()
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      const { code, message } = toKreError(error)
      if (code === 'failed-precondition' || tries + 1 >= RESTART_WAITS_MS.length)
        return this.#deps.onFatal(
          message,
          code === 'failed-precondition' ? EXIT.config : EXIT.software,
        )
      this.#deps.log.write('ERROR', message, null)
      await this.#restart(tries + 1)
    }
  }

  #over(id: number): Given | undefined {
    const given = this.#given.get(id)
    if (given === undefined) return undefined
    this.#given.delete(id)
    this.#givenBytes -= given.call.envelope.value.length
    const { run } = given
    if (run.items.length === 1 || !run.items.some((item) => this.#given.has(item.id))) {
      clearTimeout(run.killTimer)
      this.#runs.delete(run)
    }
    return given
  }

  #fail(call: NodeCall, error: KreError): void {
    const { code, message } = error
    const failure = { text: message, stack: message, code, retryAfterMs: null }
    this.#deps.dispatcher.failed(call, failure)
  }

  /** With one call at a time, what the worker prints belongs to it. */
  #onlyRequestId(): string | null {
    if (this.#given.size !== 1) return null
    for (const { call } of this.#given.values()) return call.requestId
    return null
  }
}

function isOver(run: Run): boolean {
  return run.items.every(({ call }) => call.isOver)
}

function isAmong(run: Run, ids: ReadonlySet<number> | null): boolean {
  return ids === null || run.items.some(({ id }) => ids.has(id))
}

async function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
