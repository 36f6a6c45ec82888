/** W3C trace context (www.w3.org/TR/trace-context): which trace a request belongs to. Pure but for its random ids. */
import { randomBytes } from 'node:crypto'

export type TraceContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16: the span that the next one belongs to. */
  readonly spanId: string
  readonly isSampled: boolean
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const SAMPLED = 1

/** @returns null for what is none: the request begins a trace of its own then. */
export function parseTraceparent(text: string | undefined): TraceContext | null {
  if (text === undefined) return null
  const [, version, traceId = '', spanId = '', flags = '00'] = TRACEPARENT.exec(text) ?? []
  if (version === undefined || version === 'ff' || /^0+$/.test(traceId) || /^0+$/.test(spanId))
    return null
  if (version === '00' && text.length !== 55) return null
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 }
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

export function newTraceId(): string {
  return randomBytes(16).toString('hex')
}

export function newSpanId(): string {
  return randomBytes(8).toString('hex')
}
