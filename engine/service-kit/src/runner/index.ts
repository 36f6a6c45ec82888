/** What the processes of versions need, without the libraries that only the engine needs. */
export { createJsonLogger, type JsonLogger, type LogFunction } from './json-logger.ts'
export { startLean } from './start-lean.ts'
