/** What a Context needs from whoever runs it: the node-runner, or `runHandler` in a test. */
import type { MessageTypes } from './message-types.ts'
import type { Payload } from './payload.ts'

export type MessageKind = 'ok' | 'error' | 'earlyReply' | 'earlyExit'
export type LogLevel = 'ERROR' | 'WARN' | 'INFO' | 'DEBUG'

/** The node, the same for all calls. */
export type NodePort = {
  readonly runtimeId: string
  readonly version: string
  readonly workflow: string
  readonly node: string
  readonly nodeName: string
  /** Root of the bundle. */
  readonly basePath: string
  readonly isExitpoint: boolean
  /** Subscribes to the request itself. */
  readonly isFirst: boolean
  /** Full name of the rpc's answer. */
  readonly responseType: string
  /** The answer is a stream of messages. */
  readonly isStreaming: boolean
  readonly hasObjectStore: boolean
  readonly config: Readonly<Record<string, string>>
  readonly types: MessageTypes
  /** Values of `ctx.set`, kept as long as the process. */
  readonly memory: Map<string, unknown>
}

/** One call of the handler. Outside a call (`init`) there is no message and nothing can be sent. */
export type CallPort = {
  readonly requestId: string
  readonly fromNode: string
  readonly kind: MessageKind
  readonly payload: Payload
  /** Text of an error message. */
  readonly error: string
  /** Milliseconds since 1970; 0 = none. */
  readonly deadlineUnixMs: number
  readonly attempt: number
  readonly metadata: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Resolves when the output is on its way. */
  output(kind: MessageKind, channel: string, payload: Payload, error: string): Promise<void>
  /** Sends a message of a streamed answer to the caller; resolves when it is on its way. */
  write(payload: Payload): Promise<void>
  log(level: LogLevel, text: string): void
  /** The services that `worker.proto` lists at `Call`, with the same names, arguments and results. */
  service(
    service: string,
    method: string,
    args: Record<string, unknown>,
    data?: Uint8Array,
  ): Promise<{ result: unknown; data: Uint8Array }>
}
