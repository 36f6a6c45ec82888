/** One message inside this node, from its arrival until its handler's end. */
import { MESSAGE_TYPE, type Envelope } from '@kre/contracts/runtime'
import type { CallPort, LogLevel, MessageKind, Payload } from '@kre/sdk'
import type { CallStream } from '../hops/call-stream.ts'

/** What a call needs from the node that handles it. */
export type CallOwner = {
  /** @returns undefined when it is sent already. */
  send(
    call: NodeCall,
    kind: MessageKind,
    channel: string,
    payload: Payload,
    error: string,
  ): Promise<void> | undefined
  /** Sends a message of a streamed answer. Returns as `send`. */
  write(call: NodeCall, payload: Payload): Promise<void> | undefined
  log(call: NodeCall, level: LogLevel, text: string): void
  service(
    call: NodeCall,
    service: string,
    method: string,
    args: Record<string, unknown>,
    data: Uint8Array,
  ): Promise<{ result: unknown; data: Uint8Array }>
}

const KINDS: Readonly<Record<number, MessageKind>> = {
  [MESSAGE_TYPE.error]: 'error',
  [MESSAGE_TYPE.earlyReply]: 'earlyReply',
  [MESSAGE_TYPE.earlyExit]: 'earlyExit',
}
const NO_DATA = new Uint8Array(0)
/** Given to handlers when their output went out at once, so that no promise is made per output. */
const SENT = Promise.resolve()

export class NodeCall implements CallPort {
  readonly envelope: Envelope
  /** Number of the handler's try, counted from the envelope's. */
  readonly attempt: number
  /** On the clock of `performance.now()`; Infinity = none. */
  deadlineAt: number
  arrivedAt = 0
  /** Messages that were to be served before it when it arrived. */
  ahead = 0
  /** It waited at another replica, and stays here. */
  isHandedOver = false
  startedAt = 0
  /** In the journal; -1 = its handler does not run. */
  slot = -1
  /** How many calls of its batch are not over. */
  batch: { open: number } | null = null
  /** Nothing that happens to it from now on has an effect. */
  isOver = false
  /** The exitpoint's answer has been sent. */
  isAnswered = false
  /** Messages of a streamed answer; null = it has sent none. */
  stream: CallStream | null = null
  /** It has sent an error, so that its end is not that of the answer. */
  hasSentError = false
  /** The last output that is being packed; those after it wait for it. Null = all are sent. */
  unsent: Promise<void> | null = null
  /** Why an output was not sent that its handler may not have waited for. */
  lostOutput: Error | null = null
  /** After an early exit nothing more is sent. */
  hasExited = false
  /** Outputs so far: the index makes ids and lineages the same on every delivery. */
  outputs = 0
  effects = 0
  readonly #owner: CallOwner
  #controller: AbortController | null = null

  constructor(owner: CallOwner, envelope: Envelope, attempt: number, deadlineAt: number) {
    this.#owner = owner
    this.envelope = envelope
    this.attempt = attempt
    this.deadlineAt = deadlineAt
  }

  get requestId(): string {
    return this.envelope.requestId
  }
  get fromNode(): string {
    return this.envelope.fromNode
  }
  get kind(): MessageKind {
    return KINDS[this.envelope.messageType] ?? 'ok'
  }
  get payload(): Payload {
    return this.envelope
  }
  get error(): string {
    return this.envelope.error
  }
  get deadlineUnixMs(): number {
    return this.envelope.deadlineUnixMs
  }
  get metadata(): Readonly<Record<string, string>> {
    return this.envelope.metadata
  }
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.isOver) this.#controller.abort()
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.isOver = true
    this.stream?.close(reason)
    this.#controller?.abort(reason)
  }

  output(kind: MessageKind, channel: string, payload: Payload, error: string): Promise<void> {
    return this.#owner.send(this, kind, channel, payload, error) ?? SENT
  }

  write(payload: Payload): Promise<void> {
    return this.#owner.write(this, payload) ?? SENT
  }

  log(level: LogLevel, text: string): void {
    this.#owner.log(this, level, text)
  }

  service(service: string, method: string, args: Record<string, unknown>, data = NO_DATA) {
    return this.#owner.service(this, service, method, args, data)
  }

  /** The same for the n-th effect on every delivery of this message. */
  effectId(node: string): string {
    return `${this.requestId}/${node}/${this.envelope.lineage.toString(16)}/${this.effects++}`
  }
}
