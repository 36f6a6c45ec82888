import { garbageCollector } from '@kre/core-nats'

/** Gives back what loading has left behind: a node may wait for its first message for days. Takes some 10 ms. */
export function releaseMemory(): void {
  garbageCollector()({ type: 'major', flavor: 'last-resort' })
}
