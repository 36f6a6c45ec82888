/** Numbers of HTTP/2 (RFC 9113). */
export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const

export const FLAG = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const

export const SETTING = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
  /** RFC 9218: priorities of the older standard are ignored. */
  noRfc7540Priorities: 0x9,
} as const

/** Why a stream or a connection is ended. */
export const H2_ERROR = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  enhanceYourCalm: 0xb,
} as const

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')
export const FRAME_HEADER_BYTES = 9
/** Largest frame payload that is sent and accepted: the protocol's default, which every peer takes. */
export const FRAME_BYTES_MAX = 16_384
export const DEFAULT_WINDOW_BYTES = 65_535
export const WINDOW_BYTES_MAX = 2 ** 31 - 1

/** The connection can't go on: it is ended with this code and text. */
export class Http2ConnectionError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export function protocolError(what: string): Http2ConnectionError {
  return new Http2ConnectionError(H2_ERROR.protocolError, what)
}

export function sizeError(frame: string): Http2ConnectionError {
  return new Http2ConnectionError(H2_ERROR.frameSizeError, `${frame} of a wrong size`)
}

/** The peer sends more of something that costs than any honest one would. */
export function flood(what: string): Http2ConnectionError {
  return new Http2ConnectionError(H2_ERROR.enhanceYourCalm, what)
}
