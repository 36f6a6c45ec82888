/** Reads what a handler file exports, in either style, and runs it. */
import type { CallPort, MessageKind } from './call-port.ts'
import { Context } from './context.ts'
import { TerminalError } from './handler-errors.ts'
import type { Message } from './payload-message.ts'

/** Graph style: sends by `ctx.send…`. Linear style (`handler`): what it returns is the output. May be async. */
export type Handler = (ctx: Context, data: Message) => unknown
export type Init = (ctx: Context) => unknown

export type NodeHandlers = {
  readonly init: Init | null
  /** Receives the errors of the nodes it listens to. */
  readonly handlesErrors: boolean
  readonly isLinear: boolean
  /** @throws TerminalError when the module has no handler for the sender. */
  handlerFor(fromNode: string, kind: MessageKind): Handler
}

/**
 * @param source text of the file: a graph handler that tests `isMessageError` gets error messages too.
 * @throws TerminalError when the exports are no handler.
 */
export function readHandlerModule(exports: Record<string, unknown>, source = ''): NodeHandlers {
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
  if (!isGraph && linear === null && onError === null) {
    throw new TerminalError(
      'the file exports no handler: export defaultHandler, customHandlers, or (linear style) handler',
    )
  }
  return {
    init,
    isLinear: !isGraph && linear !== null,
    handlesErrors:
      onError !== null || (isGraph && /\b(?:isMessageError|is_message_error)\b/.test(source)),
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
      : Promise.resolve(returned).then(nothing)
  }
  return handlers.isLinear ? sendReturned(ctx, returned) : undefined
}

/** The output of a linear handler; after a reply, the last node's result has nowhere to go. */
function sendReturned(ctx: Context, value: unknown): undefined | Promise<void> {
  const { exits, replied, hasSent, isExitpoint, responseType } = Context.progress(ctx)
  if (value === undefined || value === null) {
    if (isExitpoint && !hasSent)
      throw new TerminalError(
        `the handler returned nothing, so the caller would wait in vain: return a "${responseType}", or send one with ctx.sendOutput`,
      )
    return undefined
  }
  if (exits) return ctx.sendEarlyExit(value)
  if (replied && isExitpoint) return undefined
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

function nothing(): void {
  // what a graph handler returns has no meaning
}
