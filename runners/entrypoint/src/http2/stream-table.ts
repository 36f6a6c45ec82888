import type { Http2Stream } from './http2-stream.ts'

/** Streams that were reset here and whose peer may not know yet: what it still sends is no error. */
const RESETS_REMEMBERED = 1024
/** Time for a peer to notice that it has its answer before it is told to stop sending, in ms. */
const LINGER_MS = 100

/** The streams of one connection and what is remembered of those that were. */
export class StreamTable {
  /** The highest id that the peer has used. */
  lastId = 0
  readonly #streams = new Map<number, Http2Stream>()
  readonly #resetIds = new Set<number>()
  readonly #lingering = new Set<Http2Stream>()
  readonly #onLingered: (stream: Http2Stream) => void
  #timer: NodeJS.Timeout | null = null

  /** @param onLingered the peer did not end this stream by itself. */
  constructor(onLingered: (stream: Http2Stream) => void) {
    this.#onLingered = onLingered
  }

  get size(): number {
    return this.#streams.size
  }

  get(id: number): Http2Stream | undefined {
    return this.#streams.get(id)
  }

  all(): IterableIterator<Http2Stream> {
    return this.#streams.values()
  }

  /** Neither opened nor skipped by the peer so far. */
  isIdle(id: number): boolean {
    return id > this.lastId || id % 2 === 0
  }

  add(stream: Http2Stream): void {
    this.#streams.set(stream.id, stream)
  }

  remove(stream: Http2Stream): void {
    this.#streams.delete(stream.id)
    this.#lingering.delete(stream)
  }

  /** The stream is answered, but its peer is still sending. */
  linger(stream: Http2Stream): void {
    this.#lingering.add(stream)
    this.#timer ??= setTimeout(() => this.#endLingering(), LINGER_MS)
  }

  rememberReset(id: number): void {
    this.#resetIds.add(id)
    if (this.#resetIds.size <= RESETS_REMEMBERED) return
    for (const oldest of this.#resetIds) {
      this.#resetIds.delete(oldest)
      break
    }
  }

  wasReset(id: number): boolean {
    return this.#resetIds.has(id)
  }

  /** The peer knows that the stream is closed. */
  forgetReset(id: number): void {
    this.#resetIds.delete(id)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #endLingering(): void {
    this.#timer = null
    for (const stream of this.#lingering) this.#onLingered(stream)
  }
}
