/** Large payloads of requests and answers: how they travel, and when they are removed. */
import { type Claim, claimScope, ENCODING, type Encoding, MINUTE_MS } from '@kre/contracts/runtime'
import {
  type ClaimStore,
  compress,
  decompress,
  inlineBytesMax,
  isWorthCompressing,
} from '@kre/core-nats'
import type { ServedWorkflow } from '../versions/served-version.ts'
import { createWheelTimer, type TimerWheel } from './timer-wheel.ts'

/** After the deadline nobody reads a claim; the clocks of hosts may differ by so much. */
const EXPIRY_SLACK_MS = MINUTE_MS

/** What a message carries in place of its plain payload. */
export type PackedPayload = {
  readonly value: Uint8Array
  readonly encoding: Encoding
  readonly claim: Claim | null
}

/** The part of a request that its payloads need. */
export type PayloadOwner = {
  readonly message: Uint8Array
  readonly replyTo: string
  readonly workflow: ServedWorkflow
  /** Monotonic ms. */
  readonly deadlineAt: number
  readonly deadlineUnixMs: number
}

export type RequestPayloads = {
  isPlain(value: Uint8Array): boolean
  /** @throws KreError as `ClaimStore.write`. */
  pack(request: PayloadOwner): Promise<PackedPayload>
  /** @throws KreError as `ClaimStore.read` and `decompress`. */
  read(payload: PackedPayload): Promise<Uint8Array>
  /**
   * The request is over: its claims are removed, as soon as nothing of it can run any more.
   *
   * @param isFinal its answer was that of its end.
   */
  release(request: PayloadOwner, isFinal: boolean): void
}

export function createRequestPayloads(deps: {
  claims: ClaimStore
  wheel: TimerWheel
  /** The server's `max_payload`, in bytes. */
  maxPayload: () => number
  payloadBytesMax: number
}): RequestPayloads {
  const { claims, wheel, payloadBytesMax } = deps

  return {
    // Compressing costs more than carrying what the server carries at once.
    isPlain: ({ length }) => length <= inlineBytesMax(deps.maxPayload()),
    async pack({ message, replyTo, deadlineUnixMs }) {
      let value = message
      let encoding: Encoding = ENCODING.none
      if (isWorthCompressing(value)) {
        value = await compress(value)
        encoding = ENCODING.gzip
      }
      if (value.length <= inlineBytesMax(deps.maxPayload())) return { value, encoding, claim: null }
      const claim = await claims.write(value, claimScope(replyTo), deadlineUnixMs + EXPIRY_SLACK_MS)
      return { value: NO_BYTES, encoding, claim }
    },
    async read({ value, encoding, claim }) {
      const whole = claim === null ? value : await claims.read(claim, payloadBytesMax)
      return encoding === ENCODING.gzip ? decompress(whole, payloadBytesMax) : whole
    },
    release({ replyTo, workflow, deadlineAt }, isFinal) {
      const remove = () => claims.remove(claimScope(replyTo))
      const waitMs = deadlineAt - performance.now()
      // Branches that go on after the answer are dropped by their nodes at the deadline.
      if (waitMs <= 0 || (isFinal && workflow.isChain)) remove()
      else wheel.schedule(createWheelTimer(remove), waitMs)
    },
  }
}

const NO_BYTES = new Uint8Array(0)
