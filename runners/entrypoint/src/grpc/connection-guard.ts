import type { ServerConnection } from '../http2/server-connection.ts'
import type { Limits } from '../limits.ts'

/**
 * Ends a connection that costs more than it brings: without a preface, idle, too old, or dead on the other
 * side. Looks at it once; call it for every connection every `sweepMs`.
 *
 * @param now monotonic, in ms.
 * @param onTooSlow told when it is ended before it has become one.
 */
export function guardConnection(
  connection: ServerConnection,
  limits: Limits,
  now: number,
  onTooSlow: () => void,
): void {
  connection.renewAllowance()
  if (!connection.hasPreface) {
    if (now - connection.openedAt <= limits.handshakeMs) return
    onTooSlow()
    connection.destroy()
    return
  }
  const isIdle = connection.streamCount === 0 && now - connection.usedAt > limits.idleMs
  // Closing sends GOAWAY and lets calls finish.
  if (isIdle || now - connection.openedAt > limits.ageMs) connection.close()
  const silentMs = now - connection.heardAt
  if (silentMs > 2 * limits.keepaliveMs) connection.destroy()
  else if (silentMs > limits.keepaliveMs) connection.ping()
}
