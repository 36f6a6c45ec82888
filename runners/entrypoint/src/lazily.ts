import { type Http2Stream, NOBODY } from './http2/http2-stream.ts'

/** Code that is loaded when it is first needed. */
export type Lazy<T> = {
  /** At once when it is loaded, else as soon as it is. */
  use(take: (loaded: T) => void): void
  readonly isLoaded: boolean
}

export function lazily<T>(load: () => Promise<T>): Lazy<T> {
  let loaded: { value: T } | null = null
  let loading: Promise<{ value: T }> | null = null
  const start = async () => (loaded = { value: await load() })
  return {
    get isLoaded() {
      return loaded !== null
    },
    use(take) {
      if (loaded !== null) return take(loaded.value)
      loading ??= start()
      void loading.then(({ value }) => take(value))
    },
  }
}

/** Keeps what arrives on the stream until the code that serves it is there. */
export function serveLazily<T>(
  stream: Http2Stream,
  code: Lazy<T>,
  serve: (loaded: T) => void,
): void {
  if (code.isLoaded) return code.use(serve)
  const early: Buffer[] = []
  let hasEnded = false
  stream.pause()
  stream.handler = {
    onData: (chunk) => void early.push(Buffer.from(chunk)),
    onEnd: () => void (hasEnded = true),
    onClose() {},
  }
  code.use((loaded) => {
    if (stream.isClosed) return
    stream.handler = NOBODY
    serve(loaded)
    for (const chunk of early) stream.handler.onData(chunk)
    if (hasEnded) stream.handler.onEnd()
    stream.resume()
  })
}
