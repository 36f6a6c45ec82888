/** One HTTP/2 connection, the server's side (RFC 9113), over a socket of any kind. */
import type { Socket } from 'node:net'
import { FrameParser } from './frame-parser.ts'
import { createFrameWriter, type FrameWriter } from './frame-writer.ts'
import { checkPriority, type HeaderBlock, HeaderBlocks, withoutPadding } from './header-blocks.ts'
import { HpackDecoder } from './hpack-decoder.ts'
import { EMPTY_TABLE } from './hpack-encoder.ts'
import {
  DEFAULT_WINDOW_BYTES,
  FLAG,
  FRAME,
  H2_ERROR,
  flood,
  Http2ConnectionError,
  PREFACE,
  protocolError,
  SETTING,
  sizeError,
  WINDOW_BYTES_MAX,
} from './protocol.ts'
import {
  areTrailers,
  incompleteRequest,
  type RequestHeaders,
  toRequest,
} from './request-headers.ts'
import { SendWindows } from './send-windows.ts'
import { Http2Stream, type StreamOwner } from './http2-stream.ts'
import { StreamTable } from './stream-table.ts'
import { decodeSettings, encodeSettings } from './settings.ts'

export type ConnectionLimits = {
  /** Streams open at once, advertised to the peer; more are refused one by one. */
  readonly streamsMax: number
  /** Of a decoded header list, counted as HPACK does; a stream with more is refused. */
  readonly headerListBytesMax: number
  // Frames that need no call, between two `renewAllowance`; a peer that sends more is ended.
  /** Pings since the peer was last answered: a gRPC client may ping as often as that. */
  readonly pingsMax: number
  readonly settingsMax: number
  /** Streams that the peer opens and gives up. */
  readonly resetsMax: number
}

export type ConnectionEvents = {
  onStream(stream: Http2Stream): void
  /** A stream that is not taken, or the end of the connection for what its peer did. @param code of `H2_ERROR`. */
  onRefused(code: number): void
  /**
   * A request whose header list is over the limit. To be answered at once: of its headers nothing is known but the
   * `content-type`.
   *
   * @param listBytes size of the list.
   */
  onHeadersTooLarge(stream: Http2Stream, listBytes: number): void
  /** Once; all its streams are closed by then. */
  onClose(): void
}

/** Bytes a peer may send before they were read: a connection's share of memory, and its speed on a slow path. */
const CONNECTION_WINDOW_BYTES = 1024 * 1024
const STREAM_WINDOW_BYTES = 256 * 1024
const EMPTY = Buffer.alloc(0)
const LAST_STREAM_UNKNOWN = 2 ** 31 - 1
/** Time for a peer that was told goodbye to stop opening streams, in ms. */
const GOODBYE_MS = 1_000
/** Time for a peer to take the last bytes of a connection that ends, in ms. */
const LINGER_MS = 5_000
const GOODBYE_PING = Buffer.from('goodbye!')

export class ServerConnection implements StreamOwner {
  // For the guard, which ends connections that cost more than they bring. Monotonic ms.
  readonly openedAt: number
  /** The last call's start or end, or the opening. */
  usedAt: number
  heardAt: number

  readonly #socket: Socket
  readonly #limits: ConnectionLimits
  readonly #events: ConnectionEvents
  readonly #writer: FrameWriter
  readonly #windows: SendWindows
  readonly #parser: FrameParser
  readonly #blocks = new HeaderBlocks()
  readonly #decoder = new HpackDecoder()
  readonly #streams = new StreamTable((stream) => this.#failStream(stream, H2_ERROR.noError))
  readonly #now: () => number
  #hasSettings = false
  #receiveWindow = CONNECTION_WINDOW_BYTES
  #uncredited = 0
  #pings = 0
  #settings = 0
  #resets = 0
  #mustEmptyTable = false
  #goodbye: 'none' | 'said' | 'final' = 'none'
  #goodbyeTimer: NodeJS.Timeout | null = null
  #isOver = false

  /** @param now monotonic, in ms. */
  constructor(
    socket: Socket,
    limits: ConnectionLimits,
    events: ConnectionEvents,
    now: () => number = () => performance.now(),
  ) {
    this.#socket = socket
    this.#limits = limits
    this.#events = events
    this.#now = now
    this.openedAt = this.usedAt = this.heardAt = now()
    this.#writer = createFrameWriter(socket)
    this.#windows = new SendWindows(this.#writer)
    this.#parser = new FrameParser(PREFACE, (...frame) => this.#onFrame(...frame))
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('drain', () => this.#windows.sendAll())
    socket.on('error', ignoreSocketError)
    socket.on('close', () => this.#over())
    const settings = encodeSettings([
      [SETTING.maxConcurrentStreams, limits.streamsMax],
      [SETTING.initialWindowSize, STREAM_WINDOW_BYTES],
      [SETTING.maxHeaderListSize, limits.headerListBytesMax],
      [SETTING.noRfc7540Priorities, 1],
    ])
    this.#writer.frame(FRAME.settings, 0, 0, settings)
    this.#writer.numbers(FRAME.windowUpdate, 0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES)
  }

  get hasPreface(): boolean {
    return this.#parser.hasPreface
  }

  get streamCount(): number {
    return this.#streams.size
  }

  /** Tells the peer to go elsewhere; open streams go on, and the connection ends with the last one. */
  close(): void {
    if (this.#goodbye !== 'none' || this.#isOver) return
    this.#goodbye = 'said'
    // Streams that are under way now are still taken: the peer's answer to the ping comes behind them.
    this.#writer.numbers(FRAME.goaway, 0, LAST_STREAM_UNKNOWN, H2_ERROR.noError)
    this.#writer.frame(FRAME.ping, 0, 0, GOODBYE_PING)
    this.#goodbyeTimer = setTimeout(() => this.#sayFinalGoodbye(), GOODBYE_MS)
  }

  /** Ends the connection at once with a reason; its streams are given up. */
  terminate(code: number, text = ''): void {
    if (this.#isOver) return
    const payload = Buffer.alloc(8 + text.length)
    payload.writeUInt32BE(this.#streams.lastId, 0)
    payload.writeUInt32BE(code, 4)
    payload.write(text, 8, 'latin1')
    this.#writer.frame(FRAME.goaway, 0, 0, payload)
    this.#writer.flush()
    this.#over()
    this.#socket.destroySoon()
    this.#lingerBriefly()
  }

  destroy(): void {
    this.#socket.destroy()
    this.#over()
  }

  renewAllowance(): void {
    this.#pings = 0
    this.#settings = 0
    this.#resets = 0
  }

  /** Makes the peer say something, if it is there. */
  ping(): void {
    this.#writer.frame(FRAME.ping, 0, 0, Buffer.alloc(8))
  }

  sendHeaders(stream: Http2Stream, block: Uint8Array, endStream: boolean): void {
    this.#pings = 0
    const flags = endStream ? FLAG.endHeaders | FLAG.endStream : FLAG.endHeaders
    if (this.#mustEmptyTable) {
      this.#mustEmptyTable = false
      this.#writer.frame(FRAME.headers, flags, stream.id, Buffer.concat([EMPTY_TABLE, block]))
    } else this.#writer.frame(FRAME.headers, flags, stream.id, block)
  }

  sendEnd(stream: Http2Stream): void {
    this.#writer.frame(FRAME.data, FLAG.endStream, stream.id, EMPTY)
  }

  sendWaiting(stream: Http2Stream): void {
    this.#windows.send(stream)
  }

  sendReset(stream: Http2Stream, code: number): void {
    if (!stream.isRemoteEnded) this.#streams.rememberReset(stream.id)
    this.#reset(stream.id, code)
  }

  creditStream(stream: Http2Stream): void {
    if (stream.isPaused || stream.isRemoteEnded || stream.isClosed) return
    if (stream.uncredited < STREAM_WINDOW_BYTES / 2) return
    this.#writer.numbers(FRAME.windowUpdate, stream.id, stream.uncredited)
    stream.receiveWindow += stream.uncredited
    stream.uncredited = 0
  }

  closed(stream: Http2Stream): void {
    this.#windows.forget(stream)
    if (stream.isRemoteEnded) this.#remove(stream)
    // A caller need not finish a request that has its answer (RFC 9113, 8.1), but most do.
    else this.#streams.linger(stream)
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return
    this.heardAt = this.#now()
    try {
      this.#parser.push(chunk)
    } catch (error) {
      if (!(error instanceof Http2ConnectionError)) throw error
      this.#events.onRefused(error.code)
      this.terminate(error.code, error.message)
    }
  }

  #onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (!this.#hasSettings && (type !== FRAME.settings || (flags & FLAG.ack) !== 0))
      throw protocolError('the first frame is not SETTINGS')
    const { openStreamId } = this.#blocks
    if (openStreamId !== 0 && (type !== FRAME.continuation || streamId !== openStreamId))
      throw protocolError('a header block is interrupted')
    switch (type) {
      case FRAME.data:
        return this.#onData(flags, streamId, payload)
      case FRAME.headers:
        return this.#onHeaderBlock(this.#blocks.begin(flags, streamId, payload))
      case FRAME.priority:
        return checkPriority(streamId, payload)
      case FRAME.rstStream:
        return this.#onReset(streamId, payload)
      case FRAME.settings:
        return this.#onSettings(flags, streamId, payload)
      case FRAME.pushPromise:
        throw protocolError('PUSH_PROMISE from a client')
      case FRAME.ping:
        return this.#onPing(flags, streamId, payload)
      case FRAME.goaway:
        return this.#onGoaway(streamId, payload)
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(streamId, payload)
      case FRAME.continuation:
        return this.#onHeaderBlock(this.#blocks.continue(flags, payload))
      default: // extensions are ignored (RFC 9113, 5.5)
    }
  }

  #onData(flags: number, streamId: number, payload: Buffer): void {
    const stream = this.#streams.get(streamId)
    if (streamId === 0 || this.#streams.isIdle(streamId))
      throw protocolError('DATA on an idle stream')
    this.#receiveWindow -= payload.length
    if (this.#receiveWindow < 0)
      throw new Http2ConnectionError(H2_ERROR.flowControlError, 'more data than the window allows')
    this.#uncredited += payload.length
    if (this.#uncredited >= CONNECTION_WINDOW_BYTES / 2) {
      this.#writer.numbers(FRAME.windowUpdate, 0, this.#uncredited)
      this.#receiveWindow += this.#uncredited
      this.#uncredited = 0
    }
    const data = withoutPadding(flags, payload)
    if (stream === undefined || stream.isRemoteEnded) {
      if (this.#streams.wasReset(streamId)) return
      if (stream === undefined) this.#reset(streamId, H2_ERROR.streamClosed)
      else stream.reset(H2_ERROR.streamClosed)
      return
    }
    stream.receiveWindow -= payload.length
    stream.uncredited += payload.length
    if (stream.receiveWindow < 0) {
      this.#failStream(stream, H2_ERROR.flowControlError)
      return
    }
    stream.received += data.length
    if (data.length > 0) stream.handler.onData(data)
    if ((flags & FLAG.endStream) === 0) this.creditStream(stream)
    else this.#endRemote(stream)
  }

  #endRemote(stream: Http2Stream): void {
    const declared = stream.headers.get('content-length')
    stream.isRemoteEnded = true
    if (declared !== undefined && Number(declared) !== stream.received)
      this.#failStream(stream, H2_ERROR.protocolError)
    else if (stream.isClosed) this.#remove(stream)
    else stream.handler.onEnd()
  }

  #onHeaderBlock(block: HeaderBlock | null): void {
    if (block === null) return
    const { streamId, endStream } = block
    // Decoded in any case: the compression's state belongs to the connection.
    const decoded = this.#decoder.decode(block.bytes, this.#limits.headerListBytesMax)
    if (!this.#streams.isIdle(streamId)) {
      this.#onTrailers(streamId, endStream, decoded.isMalformed || !areTrailers(decoded.fields))
      return
    }
    this.#streams.lastId = streamId
    // The peer opened it before it heard the goodbye, and may send it elsewhere.
    if (this.#goodbye === 'final') return this.#refuse(streamId, H2_ERROR.refusedStream, endStream)
    if (this.#streams.size >= this.#limits.streamsMax)
      return this.#refuse(streamId, H2_ERROR.refusedStream, endStream)
    const { fields, isTooLarge, isMalformed, listBytes } = decoded
    const headers = isTooLarge ? incompleteRequest(fields) : toRequest(fields)
    if (isMalformed || headers === null)
      return this.#refuse(streamId, H2_ERROR.protocolError, endStream)
    const stream = this.#open(streamId, headers, endStream)
    if (isTooLarge) this.#events.onHeadersTooLarge(stream, listBytes)
    else this.#events.onStream(stream)
    if (endStream && !stream.isClosed) this.#endRemote(stream)
  }

  #open(streamId: number, headers: RequestHeaders, endStream: boolean): Http2Stream {
    const windows = { send: this.#windows.initialWindow, receive: STREAM_WINDOW_BYTES }
    const stream = new Http2Stream(this, streamId, headers, windows)
    stream.isRemoteEnded = endStream
    this.#streams.add(stream)
    this.usedAt = this.heardAt
    return stream
  }

  #onTrailers(streamId: number, endStream: boolean, isMalformed: boolean): void {
    const stream = this.#streams.get(streamId)
    if (stream === undefined) {
      if (this.#streams.wasReset(streamId)) return
      throw new Http2ConnectionError(H2_ERROR.streamClosed, 'HEADERS on a closed stream')
    }
    if (stream.isRemoteEnded)
      throw new Http2ConnectionError(H2_ERROR.streamClosed, 'HEADERS after the end of a request')
    if (!endStream || isMalformed) this.#failStream(stream, H2_ERROR.protocolError)
    else this.#endRemote(stream)
  }

  #onReset(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw sizeError('RST_STREAM')
    if (streamId === 0 || this.#streams.isIdle(streamId))
      throw protocolError('RST_STREAM on an idle stream')
    this.#streams.forgetReset(streamId)
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return
    stream.isRemoteEnded = true
    if (stream.isClosed) this.#remove(stream)
    else stream.close()
    if (++this.#resets > this.#limits.resetsMax) throw flood('too many streams given up')
  }

  #onSettings(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('SETTINGS on a stream')
    if ((flags & FLAG.ack) !== 0) {
      if (payload.length > 0) throw sizeError('SETTINGS acknowledgement')
      return
    }
    this.#hasSettings = true
    if (++this.#settings > this.#limits.settingsMax) throw flood('too many SETTINGS')
    const settings = decodeSettings(payload)
    // A peer waits for the confirmation of a smaller table; this side never uses any.
    if (settings.headerTableBytes !== undefined) this.#mustEmptyTable = true
    this.#writer.frame(FRAME.settings, FLAG.ack, 0, EMPTY)
    if (settings.initialWindowBytes !== undefined)
      this.#windows.setInitialWindow(settings.initialWindowBytes, this.#streams.all())
  }

  #onPing(flags: number, streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('PING on a stream')
    if (payload.length !== 8) throw sizeError('PING')
    if ((flags & FLAG.ack) === 0) {
      if (++this.#pings > this.#limits.pingsMax) throw flood('too_many_pings')
      this.#writer.frame(FRAME.ping, FLAG.ack, 0, payload)
    } else if (payload.equals(GOODBYE_PING)) this.#sayFinalGoodbye()
  }

  #onGoaway(streamId: number, payload: Buffer): void {
    if (streamId !== 0) throw protocolError('GOAWAY on a stream')
    if (payload.length < 8) throw sizeError('GOAWAY')
    // The peer opens no more streams and is answered on those it has; then it closes.
    this.close()
  }

  #onWindowUpdate(streamId: number, payload: Buffer): void {
    if (payload.length !== 4) throw sizeError('WINDOW_UPDATE')
    const bytes = payload.readUInt32BE(0) & 0x7fff_ffff
    if (streamId === 0) {
      if (bytes === 0) throw protocolError('WINDOW_UPDATE of 0')
      this.#windows.creditConnection(bytes)
      return
    }
    if (this.#streams.isIdle(streamId)) throw protocolError('WINDOW_UPDATE on an idle stream')
    const stream = this.#streams.get(streamId)
    if (stream === undefined) return
    stream.sendWindow += bytes
    if (bytes === 0) this.#failStream(stream, H2_ERROR.protocolError)
    else if (stream.sendWindow > WINDOW_BYTES_MAX)
      this.#failStream(stream, H2_ERROR.flowControlError)
    else this.#windows.resume(stream)
  }

  /** Ends a stream that may be answered already. */
  #failStream(stream: Http2Stream, code: number): void {
    if (!stream.isClosed) {
      stream.reset(code)
      return
    }
    this.sendReset(stream, code)
    this.#remove(stream)
  }

  #remove(stream: Http2Stream): void {
    this.#streams.remove(stream)
    this.usedAt = this.#now()
    if (this.#goodbye === 'final' && this.#streams.size === 0) this.#end()
  }

  #refuse(streamId: number, code: number, endStream: boolean): void {
    this.#events.onRefused(code)
    if (!endStream) this.#streams.rememberReset(streamId)
    this.#reset(streamId, code)
  }

  #reset(streamId: number, code: number): void {
    this.#writer.numbers(FRAME.rstStream, streamId, code)
  }

  #sayFinalGoodbye(): void {
    if (this.#goodbye === 'final' || this.#isOver) return
    if (this.#goodbyeTimer !== null) clearTimeout(this.#goodbyeTimer)
    this.#goodbye = 'final'
    this.#writer.numbers(FRAME.goaway, 0, this.#streams.lastId, H2_ERROR.noError)
    if (this.#streams.size === 0) this.#end()
  }

  #end(): void {
    this.#writer.flush()
    this.#socket.destroySoon()
    this.#lingerBriefly()
  }

  #lingerBriefly(): void {
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref()
  }

  #over(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parser.stop()
    this.#streams.stop()
    if (this.#goodbyeTimer !== null) clearTimeout(this.#goodbyeTimer)
    for (const stream of this.#streams.all()) {
      stream.isRemoteEnded = true
      stream.close()
    }
    this.#events.onClose()
  }
}

/** What is wrong with a socket ends it, and `close` does what is to be done. */
function ignoreSocketError(): void {}
