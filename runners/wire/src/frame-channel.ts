/** Worker frames over one socket. */
import type { Socket } from 'node:net'
import { KiB, KreError, toKreError } from '@kre/contracts/runtime'
import { createFrameDecoder, FRAME_BYTES_MAX, framePrefix } from './frame-decoder.ts'
import { decodeWorkerFrame, encodeWorkerFrame, type WorkerFrame } from './worker-frame.ts'

/** So much is gathered at most before it is written. */
const GATHERED_BYTES_MAX = 64 * KiB

export type FrameChannel = {
  /**
   * Sends a frame together with the others of this turn of the event loop: each write wakes the other process, which
   * costs more than the frame. Drops it when the socket is gone (`onEnd` tells).
   *
   * @throws KreError `resource-exhausted` for a frame above `FRAME_BYTES_MAX`.
   */
  send(frame: WorkerFrame): void
  close(): void
}

/** @param onEnd called once: with the error that ended the channel, or with null when the peer closed it. */
export function openFrameChannel(
  socket: Socket,
  onFrame: (frame: WorkerFrame) => void,
  onEnd: (error: KreError | null) => void,
): FrameChannel {
  let over = false
  let gathered: Uint8Array[] = []
  let gatheredBytes = 0
  let isDue = false
  const end = (error: KreError | null) => {
    if (over) return
    over = true
    socket.destroy()
    onEnd(error)
  }
  const push = createFrameDecoder((body) => {
    const frame = decodeWorkerFrame(body)
    if (frame !== null && !over) onFrame(frame)
  })
  const flush = () => {
    isDue = false
    if (gathered.length === 0 || over) return
    socket.write(gathered.length === 1 ? (gathered[0] as Uint8Array) : Buffer.concat(gathered))
    gathered = []
    gatheredBytes = 0
  }
  const write = (bytes: Uint8Array) => {
    gathered.push(bytes)
    gatheredBytes += bytes.length
  }
  socket.on('data', (chunk: Uint8Array) => {
    try {
      push(chunk)
    } catch (error) {
      end(toKreError(error))
    }
  })
  socket.on('error', (error) => end(toKreError(error)))
  socket.on('close', () => end(null))

  return {
    send(frame) {
      if (over) return
      const body = encodeWorkerFrame(frame)
      if (body.length > FRAME_BYTES_MAX) {
        throw new KreError(
          'resource-exhausted',
          `a ${frame.kind} frame has ${body.length} bytes; at most ${FRAME_BYTES_MAX} are sent`,
        )
      }
      write(framePrefix(body))
      if (body.length > GATHERED_BYTES_MAX) {
        // Written as it is: copying it costs more than another write.
        flush()
        socket.write(body)
        return
      }
      write(body)
      if (gatheredBytes > GATHERED_BYTES_MAX) return flush()
      if (isDue) return
      isDue = true
      process.nextTick(flush)
    },
    close() {
      flush()
      end(null)
    },
  }
}
