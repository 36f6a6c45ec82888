/** What the processes of versions need, without the libraries that only the engine needs. */
export { createWakeCaller } from './call-to-wake.ts'
export { createJsonLogger, type JsonLogger, type LogFunction } from './json-logger.ts'
export { createMetricSet, type Counter, type Histogram, type MetricSet } from './metric-set.ts'
export { reportMetrics } from './report-metrics.ts'
export { startLean } from './start-lean.ts'
export { wallClockMs } from './wall-clock.ts'
