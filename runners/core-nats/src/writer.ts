import type { Socket } from 'node:net'
import { KreError } from '@kre/contracts/runtime'
import { bytesOf, createOutgoing, type Outgoing } from './outgoing.ts'

export type Writer = Pick<Outgoing, 'message' | 'lines'> & {
  /** Gives everything to the socket now, and takes nothing more. */
  finish(): void
  /** Nothing is written any more. */
  stop(): void
}

/**
 * Writes to a socket once per turn of the event loop, after the turn's callbacks: a write wakes the broker, and is
 * most of what sending costs. While the socket is still busy everything waits for it in one place.
 *
 * @param waitingBytesMax `message` throws KreError `resource-exhausted` beyond it, so that a peer that does not read
 * can't fill the memory.
 */
export function createWriter(socket: Socket, waitingBytesMax: number): Writer {
  const outgoing = createOutgoing()
  let isScheduled = false
  let isStopped = false
  /** Bytes of the write under way; 0 = there is none. */
  let writing = 0

  const flush = () => {
    isScheduled = false
    if (!isStopped && writing === 0) write()
  }
  const write = () => {
    if (outgoing.bytes === 0) return
    writing = outgoing.bytes
    const pieces = outgoing.take()
    const last = pieces.length - 1
    if (last === 0) {
      socket.write(pieces[0] as Uint8Array, onWritten)
      return
    }
    socket.cork()
    for (let index = 0; index < last; index++) socket.write(pieces[index] as Uint8Array)
    socket.write(pieces[last] as Uint8Array, onWritten)
    socket.uncork()
  }
  const onWritten = () => {
    writing = 0
    outgoing.recycle()
    schedule()
  }
  const schedule = () => {
    if (isScheduled || isStopped || writing > 0 || outgoing.bytes === 0) return
    isScheduled = true
    setImmediate(flush)
  }

  return {
    message(subject, reply, data, headers, isKept) {
      if (outgoing.bytes + writing + bytesOf(data) > waitingBytesMax)
        throw new KreError(
          'resource-exhausted',
          `${outgoing.bytes + writing} bytes wait for the NATS server to read them; at most ${waitingBytesMax} may. The server or the way to it is too slow`,
          { waitingBytes: outgoing.bytes + writing, waitingBytesMax },
        )
      outgoing.message(subject, reply, data, headers, isKept)
      schedule()
    },
    lines(text) {
      outgoing.lines(text)
      schedule()
    },
    finish() {
      if (!isStopped) write()
      isStopped = true
    },
    stop() {
      isStopped = true
    },
  }
}
