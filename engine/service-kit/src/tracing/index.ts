/** Loaded only where spans are wanted. */
export { createSpanExporter, SPAN_KIND, type Span, type SpanExporter } from './span-exporter.ts'
export {
  formatTraceparent,
  newSpanId,
  newTraceId,
  parseTraceparent,
  type TraceContext,
} from './trace-context.ts'
