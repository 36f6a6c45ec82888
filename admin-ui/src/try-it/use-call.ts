import { useEffect, useRef, useState } from 'react'
import { toApiError, type ApiError } from '../api/api-error.ts'
import { callRpc, type CallEvent, type RpcCall } from './call-rpc.ts'

/** Messages of a stream that stay on the page, the last ones. */
const MESSAGES_MAX = 200
/** A fast stream is painted so often. */
const PAINT_MS = 60

type MessageEvent = Extract<CallEvent, { type: 'message' }>
export type CallState = {
  readonly isRunning: boolean
  readonly isStopped: boolean
  /** The last ones. */
  readonly messages: readonly MessageEvent[]
  /** All that came. */
  readonly count: number
  readonly end: Extract<CallEvent, { type: 'end' }> | null
  /** The engine did not do it. */
  readonly error: ApiError | null
}

const NEW: CallState = {
  isRunning: true,
  isStopped: false,
  messages: [],
  count: 0,
  end: null,
  error: null,
}

/** One call at a time; who leaves the page cancels it. */
export function useCall(): {
  state: CallState | null
  begin: (call: Omit<RpcCall, 'signal'>) => void
  stop: () => void
} {
  const [state, setState] = useState<CallState | null>(null)
  const running = useRef<AbortController | null>(null)
  useEffect(() => () => running.current?.abort(), [])

  function begin(call: Omit<RpcCall, 'signal'>): void {
    running.current?.abort()
    const controller = new AbortController()
    running.current = controller
    setState(NEW)
    void follow(callRpc({ ...call, signal: controller.signal }), (next) => {
      if (running.current === controller) setState(next)
    })
  }
  return {
    state,
    begin,
    stop: () => running.current?.abort(),
  }
}

/** Tells the state after each event, or a few of them. */
async function follow(
  events: AsyncIterable<CallEvent>,
  tell: (state: CallState) => void,
): Promise<void> {
  let state = NEW
  let paintedAt = 0
  try {
    for await (const event of events) {
      if (event.type === 'end') state = { ...state, isRunning: false, end: event }
      else
        state = {
          ...state,
          messages: [...state.messages.slice(1 - MESSAGES_MAX), event],
          count: state.count + 1,
        }
      const now = performance.now()
      if (event.type !== 'end' && now - paintedAt < PAINT_MS) continue
      paintedAt = now
      tell(state)
    }
    // Without an end the connection was cut, by whomever.
    tell({ ...state, isRunning: false })
  } catch (thrown) {
    const isStopped = thrown instanceof DOMException && thrown.name === 'AbortError'
    tell({ ...state, isRunning: false, isStopped, error: isStopped ? null : toApiError(thrown) })
  }
}
