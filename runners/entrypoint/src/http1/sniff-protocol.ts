/** gRPC and HTTP/1 share a port: the first bytes of a connection say which of them it speaks. */
import type { Socket } from 'node:net'
import type { Peer } from './peer.ts'

export type Protocol = 'http1' | 'http2'

/** How HTTP/2 begins; no method of HTTP/1 that anybody uses does. */
const PREFACE_START = 'PRI'
/** A method and the start of a path, of `*`, or of a whole URL. */
const REQUEST_LINE = /^[A-Z]{1,16} [/*h]/
const START_OF_REQUEST_LINE = /^[A-Z]{1,16} ?$/
const DECISIVE_BYTES = 18

/**
 * Null: more bytes are needed. What is neither goes to the HTTP/2 core, which says goodbye in its own words.
 *
 * @param first the first bytes of the connection, at least one.
 */
export function protocolOf(first: Uint8Array): Protocol | null {
  const text = Buffer.from(first.subarray(0, DECISIVE_BYTES)).toString('latin1')
  if (text.startsWith(PREFACE_START)) return 'http2'
  if (REQUEST_LINE.test(text)) return 'http1'
  return START_OF_REQUEST_LINE.test(text) ? null : 'http2'
}

/**
 * Waits for the first bytes, gives them back to the socket, and reports. The socket is paused then: resume it when
 * somebody listens.
 *
 * @param waitMs a connection that does not say what it speaks for so long is dropped.
 */
export function sniffProtocol(
  socket: Socket,
  options: {
    waitMs: number
    onKnown: (protocol: Protocol) => void
    onTooSlow: () => void
    onClose: () => void
  },
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
      if (now - openedAt <= options.waitMs || socket.destroyed) return
      options.onTooSlow()
      socket.destroy()
    },
    close: () => void socket.destroy(),
    terminate: () => void socket.destroy(),
  }
}

/** What is wrong with a socket ends it, and `close` is reported. */
function ignoreError(): void {}
