import { garbageCollector } from '@kre/core-nats'

const QUIET_MS = 1_000

let hasMessage = false

/** Called with each message. */
export function noteMessage(): void {
  hasMessage = true
}

/**
 * Gives back what loading has left behind, in the first second without a message: a node may wait for its next one for
 * days. It takes some 40 ms, which neither a start nor a request should wait for.
 */
export function releaseWhenQuiet(release: () => void = collectAll): void {
  const timer = setInterval(() => {
    if (hasMessage) {
      hasMessage = false
      return
    }
    clearInterval(timer)
    release()
  }, QUIET_MS).unref()
}

function collectAll(): void {
  garbageCollector()({ type: 'major', flavor: 'last-resort' })
}
