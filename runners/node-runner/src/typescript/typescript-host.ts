/** Runs TypeScript handlers in this process. */
import { ENTRYPOINT, KreError, type ErrorCode, type NodeLaunch } from '@kre/contracts/runtime'
import {
  Context,
  invokeBatchHandler,
  invokeHandler,
  Message,
  PayloadError,
  RetryableError,
  type BatchHandler,
  type CallPort,
  type NodeHandlers,
  type NodePort,
} from '@kre/sdk'
import type { Dispatcher } from '../calls/dispatcher.ts'
import type { Failure, HandlerHost } from '../calls/handler-host.ts'
import type { NodeCall } from '../calls/node-call.ts'
import { describeUserError } from './load-handlers.ts'

export type TypescriptHost = HandlerHost & {
  /** The call whose handler is on the stack; lines printed meanwhile are its. */
  readonly current: NodeCall | null
}

export function createTypescriptHost(
  launch: NodeLaunch,
  node: NodePort,
  handlers: NodeHandlers,
  initial: Context,
  dispatcher: Dispatcher,
): TypescriptHost {
  const attributes = Object.keys(initial).length > 0
  const only = launch.concurrency === 1
  let current: NodeCall | null = null
  const contextOf = (call: NodeCall): Context => {
    const ctx = new Context(node, call)
    return attributes ? Object.assign(ctx, initial) : ctx
  }
  const messageOf = ({ envelope: { typeUrl, value } }: NodeCall) =>
    new Message(typeUrl, value, node.types)
  const runTogether = async (handler: BatchHandler, calls: readonly NodeCall[]) => {
    let failures: readonly unknown[]
    try {
      failures = await invokeBatchHandler(handler, calls.map(contextOf), calls.map(messageOf))
    } catch (error) {
      failures = calls.map(() => error ?? new Error('the batch handler threw nothing'))
    }
    calls.forEach((call, i) => {
      if (failures[i] === null) dispatcher.done(call)
      else dispatcher.failed(call, toFailure(launch, call, failures[i]))
    })
  }

  return {
    takesAhead: false,
    get current() {
      return current
    },
    run(call) {
      const batch = handlers.batchFor(call.kind)
      if (batch !== null) {
        void runTogether(batch, [call])
        return
      }
      const ctx = contextOf(call)
      current = call
      let end: Promise<void> | undefined
      try {
        end = invokeHandler(handlers, ctx, call, messageOf(call))
      } catch (error) {
        current = null
        dispatcher.failed(call, toFailure(launch, call, error))
        return
      }
      if (end === undefined) {
        current = null
        dispatcher.done(call)
        return
      }
      // With one call at a time, everything printed until its end is its.
      if (!only) current = null
      end.then(
        () => {
          if (current === call) current = null
          dispatcher.done(call)
        },
        (error: unknown) => {
          if (current === call) current = null
          dispatcher.failed(call, toFailure(launch, call, error))
        },
      )
    },
    runBatch(calls) {
      const batch = handlers.batchFor(calls[0]?.kind ?? 'ok')
      if (batch === null) for (const call of calls) this.run(call)
      else void runTogether(batch, calls)
    },
    abandon(call) {
      if (current === call) current = null
    },
  }
}

/** Runs `init`. @throws KreError `failed-precondition` in the author's words. */
export async function runInit(
  launch: NodeLaunch,
  node: NodePort,
  handlers: NodeHandlers,
  outside: CallPort,
): Promise<Context> {
  const ctx = new Context(node, outside)
  try {
    await handlers.init?.(ctx)
  } catch (error) {
    const text = `init failed: ${describeUserError(error, launch.basePath, launch.src)}`
    throw new KreError('failed-precondition', text, {}, { cause: error })
  }
  return ctx
}

function toFailure(launch: NodeLaunch, call: NodeCall, thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const retryable = error instanceof RetryableError || error.name === 'RetryableError'
  const { retryAfterMs } = error as Partial<RetryableError>
  return {
    text: error.message,
    stack: error.stack ?? error.message,
    code: codeOf(error, call),
    retryAfterMs: retryable ? (retryAfterMs ?? launch.retries.backoffMs) : null,
  }
}

/** The caller is to blame for a malformed request, the size of an output is a limit; all else is the handler's failure. */
function codeOf(error: Error, call: NodeCall): ErrorCode {
  if (error instanceof PayloadError && error.malformed && call.fromNode === ENTRYPOINT)
    return 'invalid-argument'
  return error instanceof KreError && error.code === 'resource-exhausted' ? error.code : 'internal'
}
