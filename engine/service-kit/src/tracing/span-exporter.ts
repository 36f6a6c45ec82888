/** Sends spans to an OTLP receiver, as JSON over HTTP (opentelemetry.io/docs/specs/otlp). Never in a request's way. */
import { SECOND_MS } from '@kre/contracts/runtime'

/** Numbers of `Span.SpanKind`. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const

export type Span = {
  readonly traceId: string
  readonly spanId: string
  /** Null = a trace begins with it. */
  readonly parentSpanId: string | null
  readonly name: string
  readonly kind: (typeof SPAN_KIND)[keyof typeof SPAN_KIND]
  /** Since 1970, with fractions. */
  readonly startUnixMs: number
  readonly endUnixMs: number
  /** Numbers are integers. */
  readonly attributes: Readonly<Record<string, string | number>>
  /** Null = it went well. */
  readonly error: string | null
}

export type SpanExporter = {
  /** Kept until the next batch goes; the span is dropped and counted when too many wait. */
  add(span: Span): void
  dropped(): number
  /** Sends what is left, at most `withinMs`. */
  close(withinMs: number): Promise<void>
}

const EVERY_MS = SECOND_MS
const BATCH_MAX = 512
const WAITING_MAX = 4_096
const SEND_TIMEOUT_MS = 5 * SECOND_MS

/**
 * @param endpoint base of the receiver; spans go to `/v1/traces` below it.
 * @param resource what sends them: `service.name` and the like.
 */
export function createSpanExporter(
  endpoint: string,
  resource: Readonly<Record<string, string>>,
): SpanExporter {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`
  let waiting: Span[] = []
  let sending: Promise<void> | null = null
  let dropped = 0

  const send = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_MAX)
      waiting = waiting.slice(BATCH_MAX)
      const isTaken = await post(url, encodeSpans(batch, resource))
      if (!isTaken) dropped += batch.length
    }
  }
  const flush = () => (sending ??= send().finally(() => (sending = null)))
  const timer = setInterval(() => void flush(), EVERY_MS).unref()

  return {
    add(span) {
      if (waiting.length >= WAITING_MAX) dropped++
      else waiting.push(span)
    },
    dropped: () => dropped,
    async close(withinMs) {
      clearInterval(timer)
      let timeout: NodeJS.Timeout | undefined
      const isOver = new Promise<void>((resolve) => (timeout = setTimeout(resolve, withinMs)))
      await Promise.race([flush(), isOver])
      clearTimeout(timeout)
    },
  }
}

/** A receiver that is away costs spans, nothing else. */
async function post(url: string, body: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** An ExportTraceServiceRequest. */
function encodeSpans(spans: readonly Span[], resource: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: encodeAttributes(resource) },
        scopeSpans: [{ scope: { name: 'kre' }, spans: spans.map(encodeSpan) }],
      },
    ],
  })
}

function encodeSpan(span: Span): object {
  const { traceId, spanId, parentSpanId, name, kind, attributes, error } = span
  return {
    traceId,
    spanId,
    ...(parentSpanId === null ? {} : { parentSpanId }),
    name,
    kind,
    startTimeUnixNano: nanoseconds(span.startUnixMs),
    endTimeUnixNano: nanoseconds(Math.max(span.startUnixMs, span.endUnixMs)),
    attributes: encodeAttributes(attributes),
    // STATUS_CODE_UNSET, STATUS_CODE_ERROR
    status: error === null ? {} : { code: 2, message: error },
  }
}

/** 64-bit integers are text in protobuf's JSON. */
function nanoseconds(unixMs: number): string {
  return `${Math.round(unixMs * 1_000)}000`
}

function encodeAttributes(attributes: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
  }))
}
