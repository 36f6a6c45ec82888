/** `ctx`, the first argument of every handler. One per call; nothing of it is shared between calls. */
import { isAbsolute, relative, resolve } from 'node:path'
import type { DescMessage, Message as ProtobufMessage, MessageShape } from '@bufbuild/protobuf'
import type { CallPort, MessageKind, NodePort } from './call-port.ts'
import {
  createConfiguration,
  createDatabase,
  createLogger,
  createMeasurement,
  createObjectStore,
  createPrediction,
  type Configuration,
  type Database,
  type Logger,
  type Measurement,
  type ObjectStore,
  type Prediction,
  type PredictionOptions,
} from './context-services.ts'
import { PayloadError, TerminalError } from './handler-errors.ts'
import { Message } from './payload-message.ts'
import type { Payload } from './payload.ts'

const STRUCT = 'google.protobuf.Struct'
const NO_PAYLOAD: Payload = { typeUrl: '', value: new Uint8Array(0) }

type ContextProgress = {
  readonly replied: boolean
  readonly exits: boolean
  readonly hasSent: boolean
  readonly isExitpoint: boolean
  readonly responseType: string
  readonly isStreaming: boolean
}

/** The caller's side of an rpc that returns a stream. */
export type AnswerStream = {
  /**
   * Sends a message straight to the caller, from any node of the workflow; resolves when the caller has room for it,
   * so await each one.
   *
   * @param message protobuf message of the rpc's answer, or a plain object with its fields.
   * @throws TerminalError when the rpc returns no stream, or messages of another type; rejects when the caller has
   * gone or the deadline has passed.
   */
  write(message: unknown): Promise<void>
}

export class Context {
  readonly #node: NodePort
  readonly #call: CallPort
  #replied = false
  #exits = false
  #hasSent = false
  #objectStore: ObjectStore | undefined

  constructor(node: NodePort, call: CallPort) {
    this.#node = node
    this.#call = call
  }

  /** What the handler has done with its context, for the code that runs it. @internal */
  static progress(ctx: Context): ContextProgress {
    return {
      replied: ctx.#replied,
      exits: ctx.#exits,
      hasSent: ctx.#hasSent,
      isExitpoint: ctx.#node.isExitpoint,
      responseType: ctx.#node.responseType,
      isStreaming: ctx.#node.isStreaming,
    }
  }

  // --- the message ----------------------------------------------------------------------------

  /** uuid of the request, the same in all nodes. */
  get requestId(): string {
    return this.#call.requestId
  }
  getRequestId(): string {
    return this.#call.requestId
  }
  /** Id of the node that sent the message, or `entrypoint`. */
  get fromNode(): string {
    return this.#call.fromNode
  }
  isMessageOk(): boolean {
    return this.#call.kind === 'ok'
  }
  isMessageError(): boolean {
    return this.#call.kind === 'error'
  }
  isMessageEarlyReply(): boolean {
    return this.#call.kind === 'earlyReply'
  }
  isMessageEarlyExit(): boolean {
    return this.#call.kind === 'earlyExit'
  }
  /** Text of an error message; empty otherwise. */
  get errorMessage(): string {
    return this.#call.error
  }
  getErrorMessage(): string {
    return this.#call.error
  }
  /** `x-krt-*` metadata and trace context of the caller. */
  get metadata(): Readonly<Record<string, string>> {
    return this.#call.metadata
  }

  /** W3C `traceparent`, to be handed on to services that the handler calls; empty without one. */
  get trace(): string {
    return this.#call.metadata['traceparent'] ?? ''
  }

  /**
   * Decodes a payload. Without a type: as the type that the payload names, which must be in the bundle's protos.
   *
   * @throws PayloadError when the payload is of another type, malformed, or the message is an error.
   */
  unpack<Desc extends DescMessage>(data: Payload, schema: Desc): MessageShape<Desc>
  unpack(data: Payload, typeName?: string): ProtobufMessage & Record<string, unknown>
  unpack(data: Payload, type?: DescMessage | string): ProtobufMessage {
    if (this.isMessageError() && data.typeUrl === '') {
      throw new PayloadError(
        `the message is an error and has no payload: ${this.errorMessage}. Test ctx.isMessageError() first`,
        false,
      )
    }
    return this.#node.types.decode(data, type)
  }

  /** A message of the bundle's protos, for `sendOutput`. */
  create(
    typeName: string,
    fields?: Record<string, unknown>,
  ): ProtobufMessage & Record<string, unknown> {
    return this.#node.types.create(typeName, fields)
  }

  // --- outputs --------------------------------------------------------------------------------

  /**
   * Sends to the subscribers of this node, or of its channel. At the exitpoint, the first output without a channel
   * answers the caller.
   *
   * @param message protobuf message, Any, or a plain object: `{$typeName, …fields}`; without `$typeName` it has the
   *   fields of the rpc's answer (exitpoint) or becomes a `google.protobuf.Struct`.
   * @throws TerminalError when the message can't be encoded or the channel's name is not legal.
   */
  sendOutput(message: unknown, channel = ''): Promise<void> {
    return this.#send('ok', channel, this.#encode(message), '')
  }

  /** Forwards a message as it is. */
  sendAny(message: Payload, channel = ''): Promise<void> {
    return this.#send('ok', channel, message, '')
  }

  /** Answers the caller now; the graph goes on. The caller gets the first answer, later ones are dropped. */
  sendEarlyReply(message: unknown, channel = ''): Promise<void> {
    this.#replied = true
    return this.#send('earlyReply', channel, this.#encode(message), '')
  }

  /** Answers the caller and ends this branch: what this call sends afterwards is dropped. */
  sendEarlyExit(message: unknown, channel = ''): Promise<void> {
    this.#replied = true
    return this.#send('earlyExit', channel, this.#encode(message), '')
  }

  /** Sends an error to the subscribers that handle errors, or else to the caller. */
  sendError(text: string): Promise<void> {
    return this.#send('error', '', NO_PAYLOAD, text)
  }

  /** Of an rpc that returns a stream; outputs of the exitpoint are messages of it, too. */
  get stream(): AnswerStream {
    const { types, responseType } = this.#node
    return {
      write: (message) => {
        const payload = message instanceof Message ? message : types.encode(message, responseType)
        this.#hasSent = true
        return this.#call.write(payload)
      },
    }
  }

  #send(kind: MessageKind, channel: string, payload: Payload, error: string): Promise<void> {
    this.#hasSent = true
    return this.#call.output(kind, channel, payload, error)
  }

  // --- control --------------------------------------------------------------------------------

  /** Aborts at the deadline and when the caller has gone. */
  get signal(): AbortSignal {
    return this.#call.signal
  }
  get cancelled(): boolean {
    return this.#call.signal.aborted
  }
  /** Milliseconds since 1970 at which nobody waits any more; 0 = none. */
  get deadlineMs(): number {
    return this.#call.deadlineUnixMs
  }
  /** 1 on the first try. */
  get attempt(): number {
    return this.#call.attempt
  }

  // --- services -------------------------------------------------------------------------------

  get logger(): Logger {
    return createLogger(this.#call)
  }
  get db(): Database {
    return createDatabase(this.#call)
  }
  get prediction(): Prediction {
    return createPrediction(this.#call)
  }
  get measurement(): Measurement {
    return createMeasurement(this.#call)
  }
  /** @throws TerminalError when the manifest declares no object store for the node. */
  get objectStore(): ObjectStore {
    if (!this.#node.hasObjectStore) {
      throw new TerminalError(
        `node '${this.#node.nodeName}' has no object store: declare objectStore in its entry of the manifest`,
      )
    }
    return (this.#objectStore ??= createObjectStore(this.#call))
  }
  get configuration(): Configuration {
    return createConfiguration(this.#call)
  }

  // --- the node -------------------------------------------------------------------------------

  /** Absolute path of a file of the bundle. @throws TerminalError for a path that leaves the bundle. */
  path(inBundle: string): string {
    const whole = resolve(this.#node.basePath, inBundle)
    const back = relative(this.#node.basePath, whole)
    if (back === '..' || back.startsWith('../') || isAbsolute(back))
      throw new TerminalError(`path "${inBundle}" leaves the bundle`)
    return whole
  }
  /** A value of the manifest's `config`; undefined when it is not declared. */
  config(name: string): string | undefined {
    return Object.hasOwn(this.#node.config, name) ? this.#node.config[name] : undefined
  }
  /** A value that `set` kept in this process. */
  get(key: string): unknown {
    return this.#node.memory.get(key)
  }
  /** Keeps a value for later calls of this process; other replicas don't see it. */
  set(key: string, value: unknown): void {
    this.#node.memory.set(key, value)
  }

  // --- names of earlier generations -------------------------------------------------------------

  /** As `sendEarlyReply`, once per message. @throws TerminalError on a second reply. */
  reply(message: unknown): Promise<void> {
    if (this.#replied) throw new TerminalError('the message was replied previously')
    return this.sendEarlyReply(message)
  }
  earlyReply(message: unknown): Promise<void> {
    return this.reply(message)
  }
  /** Without a message: what the handler returns answers the caller and ends the branch. */
  earlyExit(message?: unknown): Promise<void> {
    if (message !== undefined) return this.sendEarlyExit(message)
    this.#exits = true
    return Promise.resolve()
  }
  saveMetric(
    date: string | Date,
    error: string,
    predictedValue: string,
    trueValue: string,
  ): Promise<void> {
    const options: PredictionOptions = { date, error: error as PredictionOptions['error'] & string }
    return this.prediction.save(predictedValue, trueValue, options)
  }
  saveData(collection: string, document: Record<string, unknown>): Promise<void> {
    return this.db.save(collection, document)
  }
  getData(collection: string, query: Record<string, unknown>): Promise<Record<string, unknown>[]> {
    return this.db.find(collection, query)
  }
  getPath(inBundle: string): string {
    return this.path(inBundle)
  }
  setValue(key: string, value: unknown): void {
    this.set(key, value)
  }
  getValue(key: string): unknown {
    return this.get(key)
  }

  #encode(message: unknown): Payload {
    if (message instanceof Message) return message
    const { isExitpoint, responseType, types } = this.#node
    return types.encode(message, isExitpoint ? responseType : STRUCT)
  }
}
