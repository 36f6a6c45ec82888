import type { Failure } from '../grpc/failure.ts'
import type { RoutedMethod, ServedWorkflow } from '../versions/served-version.ts'
import type { WheelTimer } from './timer-wheel.ts'

/** The caller's side of a request: answered, failed, or gone. */
export type Caller = {
  onGone: (() => void) | null
  answer(value: Uint8Array, requestId: string): void
  fail(failure: Failure, requestId: string): void
}

/** A request from admission to its end. */
export type PendingRequest = {
  /** Slot and generation in one number; the reply token in base 36. */
  readonly id: number
  readonly caller: Caller
  readonly method: RoutedMethod
  readonly workflow: ServedWorkflow
  readonly message: Uint8Array
  readonly requestId: string
  readonly replyTo: string
  readonly metadata: Record<string, string>
  /** Monotonic ms. */
  readonly startedAt: number
  readonly deadlineAt: number
  readonly deadlineUnixMs: number
  /** `sent`: with the nodes. `held`: waits for nodes or NATS. `retrying`: nobody listened, sent again soon. */
  phase: 'sent' | 'held' | 'retrying'
  /** Deliveries so far. */
  attempt: number
  /** Monotonic ms at which waiting for nodes ends; 0 = it does not wait. */
  holdUntil: number
  /** Deaths that found this request inside a handler, by key; null = none. */
  crashes: string[] | null
  timer: WheelTimer
}
