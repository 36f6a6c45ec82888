export type { CallPort, LogLevel, MessageKind, NodePort } from './call-port.ts'
export { Context, type AnswerStream } from './context.ts'
export type {
  Configuration,
  Database,
  KeyFilter,
  Logger,
  Measurement,
  ObjectStore,
  Prediction,
  PredictionError,
  PredictionInput,
  PredictionOptions,
  Scope,
} from './context-services.ts'
export { PayloadError, RetryableError, TerminalError } from './handler-errors.ts'
export {
  invokeBatchHandler,
  invokeHandler,
  readHandlerModule,
  type BatchHandler,
  type Handler,
  type Init,
  type NodeHandlers,
} from './handler-module.ts'
export type { MessageTypes } from './message-types.ts'
export { openMessageTypes } from './open-message-types.ts'
export { Message } from './payload-message.ts'
export { typeNameOf, type Payload } from './payload.ts'
export { runHandler, type RunOptions, type RunResult } from './run-handler.ts'
