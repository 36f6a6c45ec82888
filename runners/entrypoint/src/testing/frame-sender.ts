/** A call of a handler that sends frames, by hand or as far as the entrypoint's credit goes. */
import {
  decodeEnvelope,
  emptyEnvelope,
  encodeEnvelope,
  type Envelope,
  MESSAGE_TYPE,
} from '@kre/contracts'
import { createInbox } from '@nats-io/transport-node'
import type { Scene } from './scene.ts'

export type FrameSender = {
  /** Numbers of the credits that came. */
  readonly credits: number[]
  readonly stops: string[]
  /** Frames that were sent. */
  readonly sent: number
  send(value: string | Uint8Array, more?: Partial<Envelope>): void
  end(frames?: number): void
  /** Sends the same frame so many times, as nodes do: so far ahead of the credit, and no further; then the end. */
  run(value: Uint8Array, frames: number): void
}

/** As in node-runner: frames, and their bytes, that may be on their way without credit. */
const WINDOW_FRAMES = 64
const WINDOW_BYTES = 1024 * 1024

export function openSender(scene: Scene, request: Envelope): FrameSender {
  const creditSubject = createInbox()
  const credits: number[] = []
  const stops: string[] = []
  let sequence = 0
  let goOn = () => {}
  scene.nats.subscribe(creditSubject, {
    callback: (_, message) => {
      if (message.data.length === 0) return
      const { messageType, sequence: upTo, error } = decodeEnvelope(message.data)
      if (messageType === MESSAGE_TYPE.credit) credits.push(upTo)
      else stops.push(error)
      goOn()
    },
  })
  const publish = (more: Partial<Envelope>) =>
    scene.nats.publish(
      request.replyTo,
      encodeEnvelope({
        ...emptyEnvelope(),
        requestId: request.requestId,
        fromNode: 'greeter',
        ...more,
      }),
      { reply: creditSubject },
    )
  const send: FrameSender['send'] = (value, more) =>
    publish({
      messageType: MESSAGE_TYPE.frame,
      typeUrl: 'type.googleapis.com/demo.Response',
      value: typeof value === 'string' ? Buffer.from(value) : value,
      sequence: ++sequence,
      ...more,
    })
  const end = (frames = sequence) => publish({ messageType: MESSAGE_TYPE.end, sequence: frames })
  return {
    credits,
    stops,
    get sent() {
      return sequence
    },
    send,
    end,
    run(value, frames) {
      const window = Math.min(WINDOW_FRAMES, Math.ceil(WINDOW_BYTES / value.length))
      goOn = () => {
        if (stops.length > 0) return
        while (sequence < frames && sequence - (credits.at(-1) ?? 0) < window) send(value)
        if (sequence < frames) return
        goOn = () => {}
        end()
      }
      goOn()
    },
  }
}
