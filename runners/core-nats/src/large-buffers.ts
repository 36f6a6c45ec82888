/**
 * Memory of large messages. V8 counts it towards the size at which it looks through the whole heap, whether any of it
 * is still in use or not: at 64 KiB a message that took a third of a node's time. Messages die young, so the collector
 * of young objects, which looks at those alone, is called before.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options: { type: 'minor' | 'major'; flavor?: 'last-resort' }) => void

/** Smaller ones share pools. */
const LARGE_BYTES = 4_096
/**
 * Few enough that a full collection does not begin: a heap as small as a node's may grow by some 9 MiB until one does.
 * Many enough that a collection's fixed cost, 0.2 ms, is small beside them.
 */
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024

let collect: Collect | null = null
let bytesSince = 0
let isDue = false

/** V8's collector. User code does not see it. */
export function garbageCollector(): Collect {
  if (collect !== null) return collect
  setFlagsFromString('--expose-gc')
  collect = runInNewContext('gc') as Collect
  setFlagsFromString('--no-expose-gc')
  return collect
}

/** Not filled, as `Buffer.allocUnsafe`. For what is let go within moments. */
export function allocateMessage(bytes: number): Buffer<ArrayBuffer> {
  if (bytes >= LARGE_BYTES) noteLarge(bytes)
  return Buffer.allocUnsafe(bytes)
}

function noteLarge(bytes: number): void {
  bytesSince += bytes
  if (isDue || bytesSince < COLLECT_EVERY_BYTES) return
  isDue = true
  // Between turns of the event loop: what a turn worked on is let go by then.
  setImmediate(() => {
    isDue = false
    bytesSince = 0
    garbageCollector()({ type: 'minor' })
  })
}
