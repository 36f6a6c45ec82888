export {
  ENGINE_RECORDS,
  EngineRecord,
  readEngineRecord,
  readEngineRecords,
} from './engine-record.ts'
export { createEventBus } from './event-bus.ts'
export { createLogger, type Logger } from './logger.ts'
export {
  createMetricsCollector,
  PROCESS_FORGOTTEN_MS,
  type HeardProcess,
  type Increment,
  type Reading,
  type MetricsCollector,
} from './metrics/metrics-collector.ts'
export { connectNats } from './nats-connection.ts'
export { findNatsServer, NATS_SERVER_VERSION } from './nats-server/find-nats-server.ts'
export { processStartTime, untilReaped } from './process/index.ts'
export { createSharedEventBus } from './shared-event-bus.ts'
export { createSlots, type Slots } from './slots.ts'
export { waitUntil } from './wait-until.ts'
