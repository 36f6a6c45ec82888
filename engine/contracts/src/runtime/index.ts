/** What the processes of versions need of the contracts, without the libraries that only the engine needs. */
export * from '../envelope/envelope.ts'
export * from '../envelope/metadata.ts'
export { ProtoReader, ProtoWriter } from '../envelope/protobuf.ts'
export * from '../errors.ts'
export * from '../histogram-bounds.ts'
export * from '../in-flight.ts'
export * from '../log-batch.ts'
export * from '../message-samples.ts'
export { fnv1a } from '../name-hash.ts'
export * from '../names.ts'
export { tlsProblem } from '../tls-problem.ts'
export { spellBytes, unfinishedBytes } from '../spell-bytes.ts'
export * from '../start-stage.ts'
export * from '../units.ts'
export type { EntrypointMethod } from '../bundle.ts'
export type { NatsTls, Tracing } from '../launch.ts'
export type { WorkflowLimits } from '../manifest/graph.ts'
export type {
  LogBatch,
  LogLevel,
  LogRecord,
  MeasurementRecord,
  MetricsReport,
  OutputRecord,
} from '../messages.ts'
export type {
  KeptReason,
  KeptRequests,
  MessageSnippet,
  RequestSteps,
  SampleCall,
} from '../request-messages.ts'
export * from './shapes.ts'
