import { connect } from 'node:net'

/** Client preface and an empty SETTINGS frame (RFC 9113, 3.4). */
const HELLO = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
])

/**
 * Whether an HTTP/2 server answers on the address. A connection alone would prove nothing: the system
 * accepts for a process that hangs.
 */
export async function probeEntrypoint(
  host: string,
  port: number,
  timeoutMs: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.setTimeout(timeoutMs, () => finish(false))
    socket.once('connect', () => socket.write(HELLO))
    socket.once('data', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
  })
}
