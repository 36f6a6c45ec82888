/** Runs a node's handlers in a test, without a broker. */
import type { CallPort, LogLevel, MessageKind, NodePort } from './call-port.ts'
import { Context } from './context.ts'
import { TerminalError } from './handler-errors.ts'
import { invokeBatchHandler, invokeHandler, readHandlerModule } from './handler-module.ts'
import type { MessageTypes } from './message-types.ts'
import { openMessageTypes } from './open-message-types.ts'
import { Message } from './payload-message.ts'
import type { Payload } from './payload.ts'

export type RunOptions = {
  /** Values of `ctx.config`. */
  config?: Record<string, string>
  /** Documents by collection; `db.find` matches by equal fields and sees what `db.save` wrote. */
  db?: Record<string, Record<string, unknown>[]>
  stores?: { objects?: Record<string, Uint8Array>; configuration?: Record<string, string> }
  /** Serialized FileDescriptorSet of the bundle's protos. */
  descriptorSet?: Uint8Array
  fromNode?: string
  kind?: MessageKind
  /** Text of the message when `kind` is `error`. */
  error?: string
  basePath?: string
  /** The manifest sets `batch`: the handler gets lists, here of one message. */
  isBatched?: boolean
  isExitpoint?: boolean
  /** Full name of the rpc's answer: the type of a plain object at the exitpoint. */
  responseType?: string
  /** The rpc returns a stream, so that the handler can use `ctx.stream`. */
  isStreaming?: boolean
}

export type RunResult = {
  /** Messages of `ctx.stream.write`. */
  frames: Message[]
  outputs: { kind: MessageKind; channel: string; message: Message; error: string }[]
  logs: { level: LogLevel; text: string }[]
  /** Calls of services, in order. */
  writes: { service: string; method: string; args: Record<string, unknown>; data: Uint8Array }[]
}

/**
 * Runs `init` and then the handler for one message.
 *
 * @param message an Any, a protobuf message or a plain object (a Struct), as another node would send it.
 * @throws whatever the module throws.
 */
export async function runHandler(
  module: Record<string, unknown>,
  message: unknown,
  options: RunOptions = {},
): Promise<RunResult> {
  const types = openMessageTypes(() => options.descriptorSet ?? new Uint8Array(0))
  const node: NodePort = {
    runtimeId: 'test',
    version: 'test',
    workflow: 'test',
    node: 'node',
    nodeName: 'node',
    basePath: options.basePath ?? process.cwd(),
    isExitpoint: options.isExitpoint ?? false,
    isFirst: true,
    responseType: options.responseType ?? '',
    isStreaming: options.isStreaming ?? false,
    hasObjectStore: true,
    config: options.config ?? {},
    types,
    memory: new Map(),
  }
  const result: RunResult = { frames: [], outputs: [], logs: [], writes: [] }
  const payload =
    options.kind === 'error'
      ? { typeUrl: '', value: new Uint8Array(0) }
      : types.encode(message, 'google.protobuf.Struct')
  const call = testCall(options, payload, types, result)
  const handlers = readHandlerModule(module, '', options.isBatched ?? false)
  const first = new Context(node, call)
  await handlers.init?.(first)
  const ctx = Object.assign(new Context(node, call), first)
  const data = new Message(payload.typeUrl, payload.value, types)
  const batch = handlers.batchFor(call.kind)
  if (batch === null) {
    await invokeHandler(handlers, ctx, call, data)
    return result
  }
  const [failure] = await invokeBatchHandler(batch, [ctx], [data])
  if (failure instanceof Error) throw failure
  if (failure !== null) throw new TerminalError('the handler threw something that is no error')
  return result
}

function testCall(
  options: RunOptions,
  payload: Payload,
  types: MessageTypes,
  result: RunResult,
): CallPort {
  const services = testServices(options)
  return {
    requestId: '00000000-0000-4000-8000-000000000000',
    fromNode: options.fromNode ?? 'entrypoint',
    kind: options.kind ?? 'ok',
    payload,
    error: options.error ?? '',
    deadlineUnixMs: 0,
    attempt: 1,
    metadata: {},
    signal: new AbortController().signal,
    output(kind, channel, { typeUrl, value }, error) {
      result.outputs.push({ kind, channel, message: new Message(typeUrl, value, types), error })
      return Promise.resolve()
    },
    async write({ typeUrl, value }) {
      if (options.isStreaming !== true)
        throw new TerminalError('ctx.stream.write: the rpc returns one answer, and no stream')
      const frame = new Message(typeUrl, value, types)
      if (frame.typeName !== (options.responseType ?? ''))
        throw new TerminalError(
          `ctx.stream.write: the rpc returns a stream of "${options.responseType ?? ''}", and this is a "${frame.typeName}"`,
        )
      result.frames.push(frame)
    },
    log: (level, text) => void result.logs.push({ level, text }),
    async service(service, method, args, data = new Uint8Array(0)) {
      result.writes.push({ service, method, args, data })
      const run = services[`${service}.${method}`]
      if (run === undefined) throw new TerminalError(`no service ${service}.${method}`)
      return run(args, data)
    },
  }
}

type Answer = { result: unknown; data: Uint8Array }
type Service = (args: Record<string, unknown>, data: Uint8Array) => Answer

function testServices(options: RunOptions): Record<string, Service> {
  const documents = new Map(
    Object.entries(options.db ?? {}).map(([name, list]) => [name, [...list]]),
  )
  const objects = new Map(Object.entries(options.stores?.objects ?? {}))
  const values = new Map(
    Object.entries(options.stores?.configuration ?? {}).map(([key, value]) => [
      `node/${key}`,
      value,
    ]),
  )
  const answer = (result: unknown, data = new Uint8Array(0)): Answer => ({ result, data })
  const matching = ({ prefix = '', pattern = '' }: { prefix?: string; pattern?: string }) =>
    [...objects.keys()]
      .filter((key) => key.startsWith(prefix) && new RegExp(pattern).test(key))
      .sort()
  return {
    'db.save': ({ collection, document }) => {
      const name = String(collection)
      documents.set(name, [...(documents.get(name) ?? []), document as Record<string, unknown>])
      return answer(null)
    },
    'db.find': ({ collection, query }) =>
      answer(
        (documents.get(String(collection)) ?? []).filter((document) =>
          Object.entries(query as object).every(([key, value]) => document[key] === value),
        ),
      ),
    'prediction.save': () => answer(null),
    'measurement.save': () => answer(null),
    'object_store.save': ({ key }, data) => {
      objects.set(String(key), data)
      return answer(null)
    },
    'object_store.get': ({ key }) => {
      const found = objects.get(String(key))
      if (found === undefined) throw new TerminalError(`no object "${String(key)}"`)
      return answer(null, found as Uint8Array<ArrayBuffer>)
    },
    'object_store.list': (filter) => answer(matching(filter)),
    'object_store.delete': ({ key }) => {
      objects.delete(String(key))
      return answer(null)
    },
    'object_store.purge': (filter) => {
      const keys = matching(filter)
      for (const key of keys) objects.delete(key)
      return answer(keys.length)
    },
    'configuration.set': ({ key, value, scope }) => {
      values.set(`${String(scope)}/${String(key)}`, String(value))
      return answer(null)
    },
    'configuration.get': ({ key, scope }) => {
      for (const place of scope === undefined ? ['node', 'workflow', 'project'] : [scope]) {
        const found = values.get(`${place as string}/${String(key)}`)
        if (found !== undefined) return answer(found)
      }
      throw new TerminalError('No value found')
    },
    'configuration.delete': ({ key, scope }) => {
      values.delete(`${String(scope)}/${String(key)}`)
      return answer(null)
    },
  }
}
