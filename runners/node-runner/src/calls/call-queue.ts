import { MiB } from '@kre/contracts/runtime'
import type { NodeCall } from './node-call.ts'

/** More waiting messages than these are refused: they would wait longer than their callers do. */
export const QUEUE_CALLS_MAX = 1_024
export const QUEUE_BYTES_MAX = 64 * MiB

/** Messages that wait for a free slot, in the order of their arrival. */
export class CallQueue {
  #calls: (NodeCall | undefined)[] = []
  #head = 0
  #bytes = 0

  get length(): number {
    return this.#calls.length - this.#head
  }

  /** The one that waits longest. */
  get first(): NodeCall | undefined {
    return this.#calls[this.#head]
  }

  /** @returns false when there is no room. */
  push(call: NodeCall): boolean {
    const bytes = call.envelope.value.length
    if (
      this.length >= QUEUE_CALLS_MAX ||
      (this.length > 0 && this.#bytes + bytes > QUEUE_BYTES_MAX)
    )
      return false
    this.#bytes += bytes
    this.#calls.push(call)
    return true
  }

  shift(): NodeCall | undefined {
    const call = this.#calls[this.#head]
    if (call === undefined) return undefined
    this.#calls[this.#head++] = undefined
    this.#bytes -= call.envelope.value.length
    // Given back in blocks: moving the rest on each shift would cost more than the work.
    if (this.#head === this.#calls.length || this.#head > QUEUE_CALLS_MAX) {
      this.#calls = this.#calls.slice(this.#head)
      this.#head = 0
    }
    return call
  }

  *[Symbol.iterator](): Generator<NodeCall> {
    for (let i = this.#head; i < this.#calls.length; i++) yield this.#calls[i] as NodeCall
  }
}
