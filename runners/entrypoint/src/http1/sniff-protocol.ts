/** gRPC and HTTP/1 share a port: the first bytes of a connection say which of them it speaks. */
import type { Socket } from 'node:net'
import type { Peer } from './peer.ts'

export type Protocol = 'http1' | 'http2'

/** As many bytes as tell the preface (`PRI * HTTP/2.0`) from the methods that start with the same letter. */
const DECISIVE = 'PRI'

/**
 * Null: more bytes are needed. What is neither goes to the HTTP/2 core, which says goodbye in its own words.
 *
 * @param first the first bytes of the connection, at least one.
 */
export function protocolOf(first: Uint8Array): Protocol | null {
  for (let i = 0; i < DECISIVE.length; i++) {
    const byte = first[i]
    if (byte === undefined) return null
    if (byte !== DECISIVE.charCodeAt(i)) return i > 0 || isCapital(byte) ? 'http1' : 'http2'
  }
  return 'http2'
}

/**
 * Waits for the first bytes, gives them back to the socket, and reports. The socket is paused then: resume it when
 * somebody listens.
 *
 * @param waitMs a connection that does not say what it speaks for so long is dropped.
 */
export function sniffProtocol(
  socket: Socket,
  options: { waitMs: number; onKnown: (protocol: Protocol) => void; onClose: () => void },
): Peer {
  const openedAt = performance.now()
  let first: Buffer | null = null
  const onData = (chunk: Buffer) => {
    first = first === null ? chunk : Buffer.concat([first, chunk])
    const protocol = protocolOf(first)
    if (protocol === null) return
    socket.pause()
    socket.off('data', onData)
    socket.off('close', options.onClose)
    socket.off('error', ignoreError)
    socket.unshift(first)
    options.onKnown(protocol)
  }
  socket.on('data', onData)
  socket.on('close', options.onClose)
  socket.on('error', ignoreError)
  return {
    guard(now) {
      if (now - openedAt > options.waitMs) socket.destroy()
    },
    close: () => void socket.destroy(),
    terminate: () => void socket.destroy(),
  }
}

function isCapital(byte: number): boolean {
  return byte >= 65 && byte <= 90
}

/** What is wrong with a socket ends it, and `close` is reported. */
function ignoreError(): void {}
