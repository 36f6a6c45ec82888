import type { IncomingMessage, ServerResponse } from 'node:http'
import { MiB, SECOND_MS } from '@kre/contracts'

/** What a client may still send after it was answered; then the connection is cut. */
const LINGER_MS = 2 * SECOND_MS
const LINGER_BYTES = 16 * MiB

/**
 * For an answer that came before the whole body: goes on reading for a moment. Cutting at once would reset the
 * connection, and the client would lose the answer that says what was wrong.
 */
export function lingerAfter(req: IncomingMessage, res: ServerResponse): void {
  // Node cuts a client that asks for the end of its connection as soon as the answer is written.
  const isLast = hasBody(req) && !res.shouldKeepAlive
  if (isLast) res.shouldKeepAlive = true
  const end = (): void => void (isLast && req.socket.end())
  res.once('finish', () => {
    if (req.complete || req.destroyed) return end()
    let bytes = 0
    const cut = (): void => void req.socket.destroy()
    const timer = setTimeout(cut, LINGER_MS)
    const stop = (): void => {
      clearTimeout(timer)
      end()
    }
    req.once('end', stop).once('close', stop)
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LINGER_BYTES) cut()
    })
    req.resume()
  })
}

/** Who waits to be asked for the body sends none when it is refused. */
function hasBody({ headers }: IncomingMessage): boolean {
  if (headers.expect !== undefined) return false
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
