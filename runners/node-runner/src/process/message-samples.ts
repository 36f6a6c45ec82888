/**
 * The first bytes of what a node got and sent lately, while the engine asks for samples. While it does not, there is no
 * memory for them, and a call costs a look at one field.
 */
import {
  controlSubject,
  MiB,
  SAMPLE_BYTES_MAX,
  type MessageSnippet,
  type NodeLaunch,
  type SampleCall,
} from '@kre/contracts/runtime'
import type { CoreConnection } from '@kre/core-nats'
import { typeNameOf, type Payload } from '@kre/sdk'
import { maskConfigBytes } from '@kre/service-kit/masking'
import type { NodeCall } from '../calls/node-call.ts'

/** What is remembered: 256 of the largest samples, and tens of thousands of small ones. */
const MEMORY_BYTES = 4 * MiB
/** No call for samples lasts longer, whatever it says. */
const CALL_MS_MAX = 60_000

/** Where the first bytes of a message are. */
type Place = { readonly typeUrl: string; readonly bytes: number; readonly position: number }
type Sample = { input: Place; output: Place | null }

export type MessageSamples = {
  /** Whether somebody wants samples now. */
  readonly isOn: boolean
  /** An output of a call; the first is its sample. */
  sent(call: NodeCall, payload: Payload): void
  /** A call is over. @param slot in which it is remembered; what was there before is forgotten. */
  handled(call: NodeCall, slot: number): void
  /** What is known of the call in the slot; empty when samples came too late for it, or are forgotten by now. */
  of(slot: number): { input?: MessageSnippet; output?: MessageSnippet }
  stop(): void
}

/** @param slots in which calls are remembered. */
export function createMessageSamples(
  launch: NodeLaunch,
  connection: Pick<CoreConnection, 'subscribe'>,
  slots: number,
): MessageSamples {
  let memory: Memory | null = null
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    memory = null
  }
  const subscription = connection.subscribe(controlSubject(launch, 'sample'), {
    onMessage({ data }) {
      const forMs = lengthOf(data)
      clearTimeout(timer)
      if (forMs <= 0) return end()
      memory ??= createMemory(slots, maskConfigBytes(launch.config))
      timer = setTimeout(end, forMs).unref()
    },
  })
  return {
    get isOn() {
      return memory !== null
    },
    sent: (call, payload) => memory?.sent(call, payload),
    handled: (call, slot) => memory?.handled(call, slot),
    of: (slot) => memory?.of(slot) ?? {},
    stop() {
      subscription.unsubscribe()
      clearTimeout(timer)
      end()
    },
  }
}

type Memory = ReturnType<typeof createMemory>

/** @param mask hides values of the configuration, which user code may send by mistake. */
function createMemory(slots: number, mask: (bytes: Uint8Array) => void) {
  const bytes = createByteRing(MEMORY_BYTES)
  const samples: (Sample | undefined)[] = Array.from({ length: slots })
  /** First outputs of calls that are not over. */
  const outputs = new WeakMap<NodeCall, Place>()

  const place = ({ typeUrl, value }: Payload): Place => ({
    typeUrl,
    bytes: value.length,
    position: bytes.add(value, SAMPLE_BYTES_MAX),
  })
  const snippet = (kept: Place): MessageSnippet | undefined => {
    const data = bytes.read(kept.position, Math.min(kept.bytes, SAMPLE_BYTES_MAX))
    if (data === null) return undefined
    mask(data)
    const base64 = Buffer.from(data).toString('base64')
    return { type: typeNameOf(kept.typeUrl), bytes: kept.bytes, base64 }
  }
  return {
    sent(call: NodeCall, payload: Payload): void {
      if (!outputs.has(call)) outputs.set(call, place(payload))
    },
    handled(call: NodeCall, slot: number): void {
      samples[slot] = { input: place(call.payload), output: outputs.get(call) ?? null }
    },
    of(slot: number): { input?: MessageSnippet; output?: MessageSnippet } {
      const sample = samples[slot]
      if (sample === undefined) return {}
      const input = snippet(sample.input)
      const output = sample.output === null ? undefined : snippet(sample.output)
      return {
        ...(input === undefined ? {} : { input }),
        ...(output === undefined ? {} : { output }),
      }
    },
  }
}

/** Bytes in the order of their coming; the oldest are written over. Positions only grow. */
function createByteRing(size: number) {
  const ring = new Uint8Array(size)
  let end = 0
  return {
    /** @returns the position of the first `max` bytes of the value. */
    add(value: Uint8Array, max: number): number {
      const part = value.length <= max ? value : value.subarray(0, max)
      // In one piece: what is left at the end of the ring is skipped.
      const room = size - (end % size)
      if (part.length > room) end += room
      const position = end
      ring.set(part, position % size)
      end += part.length
      return position
    },
    /** @returns a copy; null when they are written over. */
    read(position: number, length: number): Uint8Array | null {
      return end > position + size ? null : ring.slice(position % size, (position % size) + length)
    },
  }
}

/** How long samples are wanted; what can't be read wants none. */
function lengthOf(data: Uint8Array): number {
  try {
    const { forMs } = JSON.parse(Buffer.from(data).toString('utf8')) as Partial<SampleCall>
    return typeof forMs === 'number' ? Math.min(forMs, CALL_MS_MAX) : 0
  } catch {
    return 0 // it is not JSON, or null
  }
}
