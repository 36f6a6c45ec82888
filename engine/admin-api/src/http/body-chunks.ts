import type { IncomingMessage } from 'node:http'
import { KreError, SECOND_MS } from '@kre/contracts'
import { HttpProblem } from './http-problem.ts'

type BodyLimits = {
  bytesMax: number
  /** How long the client may be silent while it is listened to. */
  idleMs: number
  /** Makes the refusal of a body above `bytesMax`, announced or not. */
  tooLarge: () => Error
  /** Ends the wait for a chunk that nobody wants any more. */
  signal: AbortSignal
}

/**
 * The chunks of a request's body, read no faster than they are taken. The request stays open for the answer,
 * and nothing listens to it once this has ended.
 *
 * @throws HttpProblem 408, what `tooLarge` makes, or KreError `cancelled` when the client has left.
 */
export async function* bodyChunks(
  req: IncomingMessage,
  limits: BodyLimits,
): AsyncGenerator<Buffer, void> {
  if (Number(req.headers['content-length'] ?? 0) > limits.bytesMax) throw limits.tooLarge()
  let bytes = 0
  for (;;) {
    const chunk = req.read() as Buffer | null
    if (chunk !== null) {
      bytes += chunk.length
      if (bytes > limits.bytesMax) throw limits.tooLarge()
      yield chunk
      continue
    }
    if (req.readableEnded) return
    if (req.destroyed || limits.signal.aborted) throw brokenOff()
    await untilActive(req, limits)
  }
}

/** Resolves when the request has bytes, has ended or is gone; which of these, the request itself says. */
function untilActive(req: IncomingMessage, { idleMs, signal }: BodyLimits): Promise<void> {
  const events = ['readable', 'end', 'error', 'close'] as const
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void): void => {
      clearTimeout(timer)
      for (const event of events) req.off(event, wake)
      signal.removeEventListener('abort', wake)
      outcome()
    }
    const wake = (): void => settle(resolve)
    const timer = setTimeout(() => settle(() => reject(silent(idleMs))), idleMs)
    for (const event of events) req.on(event, wake)
    signal.addEventListener('abort', wake)
  })
}

function brokenOff(): KreError {
  return new KreError('cancelled', 'the body was broken off')
}

function silent(idleMs: number): HttpProblem {
  return new HttpProblem(
    'deadline-exceeded',
    { status: 408, wireCode: 'timeout' },
    `no byte of the body arrived for ${idleMs / SECOND_MS} s: send it again`,
  )
}
