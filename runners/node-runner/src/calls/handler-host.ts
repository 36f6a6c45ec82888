import type { ErrorCode } from '@kre/contracts/runtime'
import type { NodeCall } from './node-call.ts'

/** What a handler threw, or a worker reported. */
export type Failure = {
  /** For the caller. */
  readonly text: string
  /** For the log. */
  readonly stack: string
  readonly code: ErrorCode
  /** Null = a further attempt can't help. */
  readonly retryAfterMs: number | null
}

/** Runs the user's code. Reports the end of each call by `done` or `failed`, exactly once or never. */
export type HandlerHost = {
  run(call: NodeCall): void
  /** The same for calls that the handler gets together; each ends by itself. */
  runBatch(calls: readonly NodeCall[]): void
  /** Whether it takes one more call than may run, to begin it when its turn comes. It begins calls in their order. */
  readonly takesAhead: boolean
  /** The call is over: its end is of no interest any more. */
  abandon(call: NodeCall): void
}
