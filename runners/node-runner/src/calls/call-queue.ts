import { MiB, PRIORITIES, readPriority } from '@kre/contracts/runtime'
import type { NodeCall } from './node-call.ts'

/** More waiting messages than these are refused: they would wait longer than their callers do. */
export const QUEUE_CALLS_MAX = 1_024
export const QUEUE_BYTES_MAX = 64 * MiB
/** After so many messages that overtook others, one of the overtaken ones has its turn. */
const OVERTAKING_MAX = 8

/** Messages that wait for a free slot: by priority, and within one in the order of their arrival. */
export class CallQueue {
  /** In the order of `PRIORITIES`. */
  readonly #lanes = PRIORITIES.map(() => new Lane())
  #length = 0
  #bytes = 0
  #overtook = 0

  get length(): number {
    return this.#length
  }

  /** The one whose turn is next. */
  get first(): NodeCall | undefined {
    return this.#next()?.first
  }

  /** Monotonic ms; Infinity = nothing waits. */
  get oldestArrival(): number {
    return Math.min(...this.#lanes.map((lane) => lane.first?.arrivedAt ?? Infinity))
  }

  /** How many are served before a call that comes now. */
  ahead(call: NodeCall): number {
    if (this.#length === 0) return 0
    let ahead = 0
    for (let lane = laneOf(call); lane >= 0; lane--) ahead += this.#lanes[lane]?.length ?? 0
    return ahead
  }

  /** @returns false when there is no room. */
  push(call: NodeCall): boolean {
    const bytes = call.envelope.value.length
    if (this.#length >= QUEUE_CALLS_MAX) return false
    if (this.#length > 0 && this.#bytes + bytes > QUEUE_BYTES_MAX) return false
    this.#length++
    this.#bytes += bytes
    this.#lanes[laneOf(call)]?.push(call)
    return true
  }

  /** Puts one that was taken out before the others of its priority. */
  putBack(call: NodeCall): void {
    this.#length++
    this.#bytes += call.envelope.value.length
    this.#lanes[laneOf(call)]?.unshift(call)
  }

  shift(): NodeCall | undefined {
    const lane = this.#next()
    const call = lane?.shift()
    if (call === undefined) return undefined
    this.#length--
    this.#bytes -= call.envelope.value.length
    this.#overtook = this.#lowest() === lane || this.#length === 0 ? 0 : this.#overtook + 1
    return call
  }

  *[Symbol.iterator](): Generator<NodeCall> {
    for (const lane of this.#lanes) yield* lane
  }

  #next(): Lane | undefined {
    if (this.#overtook >= OVERTAKING_MAX) return this.#lowest()
    for (const lane of this.#lanes) if (lane.length > 0) return lane
    return undefined
  }

  /** Of the least priority that waits. */
  #lowest(): Lane | undefined {
    for (let i = this.#lanes.length - 1; i >= 0; i--)
      if ((this.#lanes[i]?.length ?? 0) > 0) return this.#lanes[i]
    return undefined
  }
}

/** Messages of one priority. */
class Lane {
  #calls: (NodeCall | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#calls.length - this.#head
  }

  get first(): NodeCall | undefined {
    return this.#calls[this.#head]
  }

  push(call: NodeCall): void {
    this.#calls.push(call)
  }

  unshift(call: NodeCall): void {
    if (this.#head > 0) this.#calls[--this.#head] = call
    else this.#calls.unshift(call)
  }

  shift(): NodeCall | undefined {
    const call = this.#calls[this.#head]
    if (call === undefined) return undefined
    this.#calls[this.#head++] = undefined
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

/** What is no priority was refused by the entrypoint; from another sender it counts as none. */
function laneOf({ envelope: { metadata } }: NodeCall): number {
  return PRIORITIES.indexOf(readPriority(metadata) ?? 'normal')
}
