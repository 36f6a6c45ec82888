import type { ServerResponse } from 'node:http'
import { SECOND_MS } from '@kre/contracts'

/** A client that takes nothing for so long is cut: it holds memory, and one of its caller's places. */
export const STALLED_MS = 30 * SECOND_MS

export type RelayOptions = {
  /** The client's leave, or the end of the server. */
  readonly signal: AbortSignal
  readonly stalledMs: number
  /** Asked before each chunk: what happened after the caller lost his rights is not his. */
  readonly isAllowed: () => Promise<boolean>
  /** Calls back when he has lost them while nothing happens; returns the function that ends the looking. */
  readonly watch: (onLost: () => void) => () => void
}

/**
 * Passes chunks on, no faster than the client takes them, until the end, the client's leave, the login's end, or until
 * the client has taken nothing for too long. One chunk is in memory at a time, whatever the client does.
 *
 * @returns why it is over.
 */
export async function relayStream(
  body: ReadableStream<Uint8Array>,
  res: ServerResponse,
  { signal, stalledMs, isAllowed, watch }: RelayOptions,
): Promise<'ended' | 'stalled'> {
  const reader = body.getReader()
  // Cancelling an ended stream is fine; a failing one reports through `read`.
  const cancel = (): void => void reader.cancel().catch(() => undefined)
  const lost = new AbortController()
  const over = AbortSignal.any([signal, lost.signal])
  over.addEventListener('abort', cancel, { once: true })
  if (over.aborted) cancel()
  const unwatch = watch(() => lost.abort())
  let isStalled = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || !(await isAllowed())) break
      if (res.write(value)) continue
      isStalled = !(await drained(res, over, stalledMs))
      if (isStalled) break
    }
  } finally {
    unwatch()
    over.removeEventListener('abort', cancel)
    cancel()
    // What waits for a client that takes nothing would wait for ever.
    if (res.writableNeedDrain) res.destroy()
    else res.end()
  }
  return isStalled ? 'stalled' : 'ended'
}

/** @returns false when the time is up; true when the client has taken what waited, or it is over anyway. */
function drained(res: ServerResponse, over: AbortSignal, stalledMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isDrained: boolean): void => {
      clearTimeout(timer)
      res.off('drain', goOn)
      over.removeEventListener('abort', goOn)
      resolve(isDrained)
    }
    const goOn = (): void => settle(true)
    const timer = setTimeout(() => settle(false), stalledMs)
    res.once('drain', goOn)
    over.addEventListener('abort', goOn, { once: true })
    if (over.aborted) goOn()
  })
}
