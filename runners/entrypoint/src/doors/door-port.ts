/** One HTTP request and its response as the doors see them, whatever version of HTTP carries them. */
import type { RequestHeaders } from '../http2/request-headers.ts'

export type DoorRequest = {
  readonly headers: RequestHeaders
  /** The body goes there from now on; without this call it is dropped. */
  receive(receiver: BodyReceiver): void
}

export type BodyReceiver = {
  /** @param chunk a view that is only valid now. */
  onData(chunk: Buffer): void
  onEnd(): void
}

/** Sending is in order: `head`, any number of `write`, `end`; on a closed response all of them do nothing. */
export type DoorResponse = {
  readonly isClosed: boolean
  /** Once, in any case: everything is with the socket, or never will be. */
  onClose: () => void
  /** What had to wait for the peer is on its way. */
  onDrain: () => void
  head(status: number, fields: HeaderFields): void
  /** False when the peer takes no more now: wait for `onDrain`. The bytes must not be changed afterwards. */
  write(bytes: Uint8Array): boolean
  end(): void
  /** Gives the exchange up; the peer sees that its answer is cut. */
  destroy(): void
}

export type DoorExchange = { readonly request: DoorRequest; readonly response: DoorResponse }

/** Names in lower case; values in Latin-1, without line ends. */
export type HeaderFields = readonly (readonly [name: string, value: string])[]
