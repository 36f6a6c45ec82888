/** SETTINGS frames (RFC 9113, 6.5). */
import {
  FRAME_BYTES_MAX,
  H2_ERROR,
  Http2ConnectionError,
  SETTING,
  sizeError,
  WINDOW_BYTES_MAX,
} from './protocol.ts'

const ENTRY_BYTES = 6

/** What of the peer's settings matters to a server that sends small frames and keeps no compression table. */
export type PeerSettings = {
  /** Undefined = unchanged. */
  initialWindowBytes?: number
  headerTableBytes?: number
}

export function encodeSettings(settings: Iterable<readonly [id: number, value: number]>): Buffer {
  const entries = [...settings]
  const payload = Buffer.allocUnsafe(entries.length * ENTRY_BYTES)
  for (const [i, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(id, i * ENTRY_BYTES)
    payload.writeUInt32BE(value, i * ENTRY_BYTES + 2)
  }
  return payload
}

/** @throws Http2ConnectionError for values that the standard forbids. */
export function decodeSettings(payload: Buffer): PeerSettings {
  if (payload.length % ENTRY_BYTES !== 0) throw sizeError('SETTINGS')
  const settings: PeerSettings = {}
  for (let at = 0; at < payload.length; at += ENTRY_BYTES) {
    const value = payload.readUInt32BE(at + 2)
    switch (payload.readUInt16BE(at)) {
      case SETTING.headerTableSize:
        settings.headerTableBytes = value
        break
      case SETTING.enablePush:
        if (value > 1) throw forbidden('ENABLE_PUSH', value, H2_ERROR.protocolError)
        break
      case SETTING.initialWindowSize:
        if (value > WINDOW_BYTES_MAX)
          throw forbidden('INITIAL_WINDOW_SIZE', value, H2_ERROR.flowControlError)
        settings.initialWindowBytes = value
        break
      case SETTING.maxFrameSize:
        if (value < FRAME_BYTES_MAX || value > 2 ** 24 - 1)
          throw forbidden('MAX_FRAME_SIZE', value, H2_ERROR.protocolError)
        break
      default: // for servers without a meaning, or unknown
    }
  }
  return settings
}

function forbidden(name: string, value: number, code: number): Http2ConnectionError {
  return new Http2ConnectionError(code, `SETTINGS ${name} of ${value}`)
}
