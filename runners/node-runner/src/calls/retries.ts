import type { NodeCall } from './node-call.ts'

/** Calls that are tried again after a pause. */
export type Retries = Iterable<NodeCall> & {
  readonly size: number
  add(call: NodeCall, waitMs: number): void
  drop(call: NodeCall): void
}

export function createRetries(onDue: (call: NodeCall) => void): Retries {
  const timers = new Map<NodeCall, NodeJS.Timeout>()
  return {
    get size() {
      return timers.size
    },
    add(call, waitMs) {
      const retry = () => {
        timers.delete(call)
        onDue(call)
      }
      timers.set(call, setTimeout(retry, waitMs))
    },
    drop(call) {
      clearTimeout(timers.get(call))
      timers.delete(call)
    },
    [Symbol.iterator]: () => timers.keys(),
  }
}
