/** Large payloads of requests and answers: how they travel, and when they are removed. */
import { MINUTE_MS, SECOND_MS } from '@kre/contracts/runtime'
import {
  type ClaimOwner,
  type ClaimStore,
  isPlainPayload,
  packPayload,
  type PayloadForm,
  unpackPayload,
} from '@kre/core-nats'
import type { ServedMethod, ServedWorkflow } from '../versions/served-version.ts'
import { createWheelTimer, type TimerWheel } from './timer-wheel.ts'

/** So long after a request was cancelled its nodes have heard of it, and nobody reads a claim of it. */
const CANCELLED_MS = 1 * SECOND_MS
/** After the deadline nobody reads a claim; the clocks of hosts may differ by so much. */
const EXPIRY_SLACK_MS = MINUTE_MS

/** The part of a request that its payloads need. */
export type PayloadOwner = {
  readonly message: Uint8Array
  readonly replyTo: string
  readonly workflow: ServedWorkflow
  readonly method: Pick<ServedMethod, 'version'>
  /** Monotonic ms. */
  readonly deadlineAt: number
  readonly deadlineUnixMs: number
}

/** `early`: the graph goes on. `final`: no further answer is to be expected. `cancelled`: its nodes were told to stop. */
export type RequestEnd = 'early' | 'final' | 'cancelled'

export type RequestPayloads = {
  isPlain(value: Uint8Array): boolean
  /** @throws KreError as `ClaimStore.write`. */
  pack(request: PayloadOwner): Promise<PayloadForm>
  /** @throws KreError as `ClaimStore.read` and `decompress`. */
  read(payload: PayloadForm): Promise<Uint8Array>
  /** The request is over: its claims are removed, as soon as nothing of it can run any more. */
  release(request: PayloadOwner, end: RequestEnd): void
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
    isPlain: (value) => isPlainPayload(value, deps.maxPayload()),
    pack: (request) =>
      packPayload(request.message, deps.maxPayload(), (value) =>
        claims.write(value, claimOwner(request), request.deadlineUnixMs + EXPIRY_SLACK_MS),
      ),
    read: (payload) => unpackPayload(payload, claims, payloadBytesMax),
    release(request, end) {
      const { workflow, deadlineAt } = request
      const remove = () => claims.remove(claimOwner(request))
      // Branches that go on after the answer are dropped by their nodes at the deadline.
      const leftMs = deadlineAt - performance.now()
      const waitMs = end === 'cancelled' ? Math.min(leftMs, CANCELLED_MS) : leftMs
      if (waitMs <= 0 || (end !== 'early' && workflow.isChain)) remove()
      else wheel.schedule(createWheelTimer(remove), waitMs)
    },
  }
}

function claimOwner({ replyTo, method }: PayloadOwner): ClaimOwner {
  return { replyTo, version: method.version.ref.version }
}
