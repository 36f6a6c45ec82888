/** Worker frames over one socket. */
import type { Socket } from 'node:net'
import { KreError, toKreError } from '@kre/contracts/runtime'
import { createFrameDecoder, FRAME_BYTES_MAX, framePrefix } from './frame-decoder.ts'
import { decodeWorkerFrame, encodeWorkerFrame, type WorkerFrame } from './worker-frame.ts'

export type FrameChannel = {
  /**
   * Sends a frame, or drops it when the socket is gone (`onEnd` tells).
   *
   * @returns false when the socket's buffer is above its mark: wait for `drained` before sending much more.
   * @throws KreError `resource-exhausted` for a frame above `FRAME_BYTES_MAX`.
   */
  send(frame: WorkerFrame): boolean
  /** Resolves when the socket has taken what was sent, or is gone. */
  drained(): Promise<void>
  /** Stops reading, for as long as the receiver has no room. */
  pause(): void
  resume(): void
  close(): void
}

/** @param onEnd called once: with the error that ended the channel, or with null when the peer closed it. */
export function openFrameChannel(
  socket: Socket,
  onFrame: (frame: WorkerFrame) => void,
  onEnd: (error: KreError | null) => void,
): FrameChannel {
  let over = false
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
      if (over) return true
      const body = encodeWorkerFrame(frame)
      if (body.length > FRAME_BYTES_MAX) {
        throw new KreError(
          'resource-exhausted',
          `a ${frame.kind} frame has ${body.length} bytes; at most ${FRAME_BYTES_MAX} are sent`,
        )
      }
      socket.cork()
      socket.write(framePrefix(body))
      const taken = socket.write(body)
      socket.uncork()
      return taken
    },
    async drained() {
      if (over || !socket.writableNeedDrain) return
      await new Promise<void>((resolve) => {
        const done = () => {
          socket.off('drain', done).off('close', done)
          resolve()
        }
        socket.on('drain', done).on('close', done)
      })
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => end(null),
  }
}
