/** Messages whose payloads have to be fetched or decompressed before they can be handled. */
import { ENCODING, KreError, MiB, toKreError, type Envelope } from '@kre/contracts/runtime'
import type { PayloadForms } from './payload-forms.ts'

/** Payloads that are being brought at once; a larger one is brought by itself. */
const BYTES_AT_ONCE = 64 * MiB
/** Messages that wait for that: each is small, and their requests have deadlines. */
const WAITING_MAX = 1_024

export type Arrivals = {
  /** Hands a message over: at once when it has its payload, and otherwise as soon as it has it. */
  accept(envelope: Envelope): void
  cancel(requestIds: ReadonlySet<string>): void
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>
}

export function createArrivals(deps: {
  forms: PayloadForms
  accept: (envelope: Envelope) => void
  /** The payload can't be had. */
  onUnreadable: (envelope: Envelope, error: KreError) => void
}): Arrivals {
  let waiting: Envelope[] = []
  const underWay = new Set<Envelope>()
  let bytes = 0
  let onIdle: (() => void) | null = null

  const bring = async (envelope: Envelope, size: number) => {
    underWay.add(envelope)
    bytes += size
    try {
      await deps.forms.unpack(envelope)
      if (underWay.has(envelope)) deps.accept(envelope)
    } catch (error) {
      if (underWay.has(envelope)) deps.onUnreadable(envelope, toKreError(error))
    } finally {
      underWay.delete(envelope)
      bytes -= size
      bringWaiting()
    }
  }
  const bringWaiting = () => {
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const size = sizeOf(next)
      if (bytes > 0 && bytes + size > BYTES_AT_ONCE) return
      waiting.shift()
      if (next.deadlineUnixMs === 0 || next.deadlineUnixMs > Date.now()) void bring(next, size)
    }
    if (bytes === 0) onIdle?.()
  }

  return {
    accept(envelope) {
      if (envelope.claim === null && envelope.encoding === ENCODING.none)
        return deps.accept(envelope)
      if (waiting.length >= WAITING_MAX)
        return deps.onUnreadable(envelope, new KreError('resource-exhausted', TOO_MANY))
      waiting.push(envelope)
      bringWaiting()
    },
    cancel(requestIds) {
      waiting = waiting.filter(({ requestId }) => !requestIds.has(requestId))
      for (const envelope of underWay)
        if (requestIds.has(envelope.requestId)) underWay.delete(envelope)
    },
    async idle() {
      if (waiting.length === 0 && bytes === 0) return
      await new Promise<void>((resolve) => (onIdle = resolve))
    },
  }
}

const TOO_MANY = `${WAITING_MAX} large payloads wait to be read already: try again later, or give the node more replicas`

/** At least 1, so that what is under way is never nothing. */
function sizeOf({ claim, value }: Envelope): number {
  return Math.max(1, claim?.size ?? value.length)
}
