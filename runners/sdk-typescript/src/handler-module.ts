/** Reads what a handler file exports, in either style, and runs it. */
import type { CallPort, MessageKind } from './call-port.ts'
import { Context } from './context.ts'
import { TerminalError } from './handler-errors.ts'
import type { Message } from './payload-message.ts'

/** Graph style: sends by `ctx.send…`. Linear style (`handler`): what it returns is the output. May be async. */
export type Handler = (ctx: Context, data: Message) => unknown
/**
 * Gets the messages of a batch and a context for each. Sends by the contexts; or returns a list with one output per
 * message, in which an Error fails its message and no other. What it throws fails all of them.
 */
export type BatchHandler = (contexts: readonly Context[], messages: readonly Message[]) => unknown
export type Init = (ctx: Context) => unknown

export type NodeHandlers = {
  readonly init: Init | null
  /** Receives the errors of the nodes it listens to. */
  readonly handlesErrors: boolean
  readonly isLinear: boolean
  /** @throws TerminalError when the module has no handler for the sender. */
  handlerFor(fromNode: string, kind: MessageKind): Handler
  /** Null when messages of that kind are handled one by one. */
  batchFor(kind: MessageKind): BatchHandler | null
}

/**
 * @param source text of the file: a graph handler that tests `isMessageError` gets error messages too.
 * @param isBatched the manifest sets `batch` for the node.
 * @throws TerminalError when the exports are no handler.
 */
export function readHandlerModule(
  exports: Record<string, unknown>,
  source = '',
  isBatched = false,
): NodeHandlers {
  const find = (...names: string[]): unknown => {
    const inner = exports['default']
    const places =
      typeof inner === 'object' && inner !== null ? [exports, inner as typeof exports] : [exports]
    for (const place of places)
      for (const name of names)
        if (place[name] !== undefined && place[name] !== null) return place[name]
    return null
  }
  const init = asFunction<Init>('init', find('init'))
  const onError = asFunction<Handler>('errorHandler', find('errorHandler', 'error_handler'))
  const byDefault = asFunction<Handler>('defaultHandler', find('defaultHandler', 'default_handler'))
  const custom = toCustomHandlers(find('customHandlers', 'custom_handlers'))
  const linear = asFunction<Handler>('handler', find('handler'))
  const isGraph = byDefault !== null || custom.size > 0
  const byBatch = asFunction<BatchHandler>('batchHandler', find('batchHandler', 'batch_handler'))
  const hasSingle = isGraph || linear !== null || onError !== null
  if (!hasSingle && byBatch === null) {
    throw new TerminalError(
      'the file exports no handler: export defaultHandler, customHandlers, or (linear style) handler',
    )
  }
  const batch = isBatched ? (byBatch ?? toBatchHandler(linear)) : hasSingle ? null : byBatch
  if (isBatched && batch === null) {
    throw new TerminalError(
      'the manifest sets batch for this node, so its handler gets lists: export batchHandler(contexts, messages), or remove batch',
    )
  }
  return {
    init,
    isLinear: !isGraph && linear !== null,
    batchFor: (kind) => (kind === 'error' && onError !== null ? null : batch),
    handlesErrors:
      onError !== null ||
      ((isGraph || batch !== null) && /\b(?:isMessageError|is_message_error)\b/.test(source)),
    handlerFor(fromNode, kind) {
      const chosen =
        (kind === 'error' ? onError : null) ??
        (isGraph ? (custom.get(fromNode) ?? byDefault) : linear)
      if (chosen !== null && chosen !== undefined) return chosen
      throw new TerminalError(
        `no handler for messages from node '${fromNode}': export defaultHandler, or an entry of customHandlers`,
      )
    },
  }
}

/**
 * Calls the handler for the message of `ctx`.
 *
 * @returns undefined when everything happened at once, else a promise of the end.
 */
export function invokeHandler(
  handlers: NodeHandlers,
  ctx: Context,
  call: CallPort,
  data: Message,
): undefined | Promise<void> {
  const returned = handlers.handlerFor(call.fromNode, call.kind)(ctx, data)
  if (isThenable(returned)) {
    return handlers.isLinear
      ? Promise.resolve(returned).then((value) => sendReturned(ctx, value))
      : Promise.resolve(returned).then((value) => dropReturned(handlers, ctx, value))
  }
  return handlers.isLinear ? sendReturned(ctx, returned) : dropReturned(handlers, ctx, returned)
}

const returnedInVain = new WeakSet<NodeHandlers>()

/** What a handler of the graph style returns goes nowhere; the log says so once, for the caller waits. */
function dropReturned(handlers: NodeHandlers, ctx: Context, value: unknown): undefined {
  if (value === undefined || value === null || returnedInVain.has(handlers)) return
  if (Context.progress(ctx).hasSent) return
  returnedInVain.add(handlers)
  ctx.logger.warn(
    'the handler returned a value and sent nothing: only what ctx.sendOutput sends goes on; returned values are the outputs of a function named handler',
  )
}

/**
 * Calls the batch handler for messages that are handled together.
 *
 * @returns of each message what failed, null = nothing.
 * @throws whatever the handler throws: all messages failed.
 */
export async function invokeBatchHandler(
  handler: BatchHandler,
  contexts: readonly Context[],
  messages: readonly Message[],
): Promise<readonly unknown[]> {
  const returned: unknown = await handler(contexts, messages)
  if (returned === undefined || returned === null) return contexts.map(() => null)
  if (!Array.isArray(returned) || returned.length !== contexts.length) {
    const what = Array.isArray(returned) ? `${returned.length} results` : `a ${typeof returned}`
    throw new TerminalError(
      `the batch handler returned ${what} for ${contexts.length} messages: return a list with one output per message, or nothing`,
    )
  }
  return Promise.all(
    contexts.map(async (ctx, i) => {
      try {
        if (returned[i] instanceof Error) return returned[i]
        await sendReturned(ctx, returned[i])
        return null
      } catch (error) {
        return error
      }
    }),
  )
}

/** A linear handler of a batched node has the same parameters, and must return its outputs. */
function toBatchHandler(linear: Handler | null): BatchHandler | null {
  if (linear === null) return null
  const handler = linear as unknown as BatchHandler
  return async (contexts, messages) =>
    (await handler(contexts, messages)) ?? contexts.map(() => null)
}

/** The output of a linear handler; after a reply, the last node's result has nowhere to go. */
function sendReturned(ctx: Context, value: unknown): undefined | Promise<void> {
  const { exits, replied, hasSent, isExitpoint, responseType, isStreaming } = Context.progress(ctx)
  if (value === undefined || value === null) {
    // A stream may be empty.
    if (isExitpoint && !hasSent && !isStreaming)
      throw new TerminalError(
        `the handler returned nothing, so the caller would wait in vain: return a "${responseType}", or send one with ctx.sendOutput`,
      )
    return undefined
  }
  if (exits) return ctx.sendEarlyExit(value)
  if (replied && isExitpoint && !isStreaming) return undefined
  return ctx.sendOutput(value)
}

function toCustomHandlers(given: unknown): ReadonlyMap<string, Handler> {
  if (given === null) return new Map()
  const entries =
    given instanceof Map ? [...given] : typeof given === 'object' ? Object.entries(given) : null
  if (entries === null)
    throw new TerminalError('customHandlers is no object from sender to function')
  return new Map(
    entries.map(([from, handler]) => [
      String(from),
      asFunction<Handler>(`customHandlers["${String(from)}"]`, handler) as Handler,
    ]),
  )
}

function asFunction<F>(name: string, value: unknown): F | null {
  if (value === null) return null
  if (typeof value !== 'function') throw new TerminalError(`${name} is no function`)
  return value as F
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
