/**
 * Runs handlers in a worker process and keeps such a process alive. A worker that dies is replaced at once;
 * what it had in hand is given to the next one a single time when the death came from outside.
 */
import {
  GRPC_STATUS,
  KreError,
  MESSAGE_TYPE,
  SECOND_MS,
  toKreError,
  type ErrorCode,
  type LogLevel,
} from '@kre/contracts/runtime'
import type { MessageKind } from '@kre/sdk'
import type { FrameChannel, WorkerFrame } from '@kre/wire'
import type { HandlerHost } from '../calls/dispatcher.ts'
import type { NodeCall } from '../calls/node-call.ts'
import { EXIT } from '../exit-codes.ts'
import type { RuntimeDeps } from '../runtime.ts'
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

type Given = {
  readonly id: number
  readonly call: NodeCall
  /** Workers that died from outside with this call in hand. */
  deaths: number
  killTimer?: NodeJS.Timeout
}
type StartOptions = Pick<WorkerStart, 'command' | 'environment' | 'socketPath' | 'init'>

const KINDS: Readonly<Record<number, MessageKind>> = {
  [MESSAGE_TYPE.ok]: 'ok',
  [MESSAGE_TYPE.error]: 'error',
  [MESSAGE_TYPE.earlyReply]: 'earlyReply',
  [MESSAGE_TYPE.earlyExit]: 'earlyExit',
}
const LEVELS: Readonly<Record<string, LogLevel>> = {
  ERROR: 'ERROR',
  WARN: 'WARN',
  INFO: 'INFO',
  DEBUG: 'DEBUG',
}

/** What a worker can say of a failure; all else is the handler's own. */
const FAILURE_CODES: Readonly<Record<number, ErrorCode>> = {
  [GRPC_STATUS['invalid-argument']]: 'invalid-argument',
  [GRPC_STATUS['resource-exhausted']]: 'resource-exhausted',
}

export class WorkerHost implements HandlerHost {
  readonly #deps: RuntimeDeps
  readonly #options: StartOptions
  readonly #stopping = new AbortController()
  /** In the worker's hands, calls that are over and not yet answered for included. */
  readonly #given = new Map<number, Given>()
  /** Waits for a worker, or for a place in it. */
  #waiting: Given[] = []
  #worker: WorkerProcess | null = null
  #channel: FrameChannel | null = null
  #nextId = 1
  /** Set when a worker is ended because of one call: the others are not to blame. */
  #killedFor: Given | null = null

  constructor(deps: RuntimeDeps, options: StartOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** @returns whether the handler takes errors. @throws KreError when the worker can't be started. */
  async start(): Promise<boolean> {
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

  run(call: NodeCall): void {
    this.#waiting.push({ id: this.#nextId++, call, deaths: 0 })
    this.#giveWaiting()
  }

  abandon(call: NodeCall): void {
    this.#waiting = this.#waiting.filter((given) => given.call !== call)
    for (const given of this.#given.values()) {
      if (given.call !== call || given.killTimer !== undefined) continue
      this.#worker?.send({ kind: 'cancel', callId: given.id })
      given.killTimer = setTimeout(() => {
        this.#killedFor = given
        this.#worker?.kill()
      }, KILL_AFTER_CANCEL_MS)
    }
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    for (const given of this.#given.values()) clearTimeout(given.killTimer)
    await this.#worker?.drain()
    this.#worker = null
  }

  #giveWaiting(): void {
    const { concurrency } = this.#deps.launch
    while (this.#worker !== null && this.#given.size < concurrency) {
      const given = this.#waiting.shift()
      if (given === undefined) return
      this.#given.set(given.id, given)
      try {
        this.#worker.send(handleFrame(given))
      } catch (error) {
        this.#over(given.id)
        this.#fail(given.call, toKreError(error))
      }
    }
  }

  #onFrame(frame: WorkerFrame): void {
    switch (frame.kind) {
      case 'output':
        return this.#onOutput(frame)
      case 'call':
        void this.#answer(frame)
        return
      case 'done': {
        const given = this.#over(frame.callId)
        if (given !== undefined) this.#deps.dispatcher.done(given.call)
        return this.#giveWaiting()
      }
      case 'failed': {
        const given = this.#over(frame.callId)
        if (given !== undefined) {
          this.#deps.dispatcher.failed(given.call, {
            text: frame.text,
            stack: frame.stack || frame.text,
            code: FAILURE_CODES[frame.statusCode] ?? 'internal',
            retryAfterMs: frame.retryable
              ? frame.retryAfterMs || this.#deps.launch.retries.backoffMs
              : null,
          })
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

  #onOutput(frame: WorkerFrame<'output'>): void {
    const call = this.#given.get(frame.callId)?.call
    const kind = KINDS[frame.messageType]
    if (call === undefined || kind === undefined) return
    try {
      void call.output(kind, frame.channel, frame, frame.error)
    } catch (error) {
      // The output's failure is the call's; the worker goes on and its end is then of no interest.
      this.#fail(call, toKreError(error))
    }
  }

  async #answer({
    id,
    callId,
    service,
    method,
    arguments: args,
    data,
  }: WorkerFrame<'call'>): Promise<void> {
    // The channel of now: an answer must not reach the next worker, which knows nothing of the question.
    const channel = this.#channel
    const caller = this.#given.get(callId)?.call ?? this.#deps.outside
    const empty = {
      kind: 'callResult',
      id,
      error: '',
      result: '',
      data: new Uint8Array(0),
      statusCode: 0,
    } as const
    try {
      const parsed: unknown = JSON.parse(args === '' ? '{}' : args)
      const answer = await this.#deps.services(caller, service, method, parsed, data)
      channel?.send({ ...empty, result: JSON.stringify(answer.result), data: answer.data })
    } catch (error) {
      const { code, message } = toKreError(error)
      channel?.send({ ...empty, error: message, statusCode: GRPC_STATUS[code] })
    }
  }

  #onEnd(end: WorkerEnd): void {
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
    const held = [...this.#given.values()]
    this.#given.clear()
    const again: Given[] = []
    for (const given of held) {
      clearTimeout(given.killTimer)
      if (given.call.isOver) continue
      if (culprit === null) given.deaths++
      // A process that exits by itself does so again; one that was killed may have had bad luck, once.
      const innocent = culprit !== null || (end.signal !== null && given.deaths === 1)
      if (innocent) again.push(given)
      else {
        const text = `the worker of node '${nodeName}' died (${end.text}) while handling this request`
        this.#fail(given.call, new KreError('aborted', text))
      }
    }
    this.#waiting.unshift(...again)
    void this.#restart(0)
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
    this.#given.delete(id)
    clearTimeout(given?.killTimer)
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

function handleFrame({ id, call, deaths }: Given): WorkerFrame<'handle'> {
  const { requestId, fromNode, messageType, typeUrl, value, error, deadlineUnixMs, metadata } =
    call.envelope
  return {
    kind: 'handle',
    callId: id,
    requestId,
    fromNode,
    messageType,
    typeUrl,
    value,
    error,
    deadlineUnixMs,
    attempt: call.attempt + deaths,
    metadata,
  }
}

async function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
