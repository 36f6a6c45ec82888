export { createOutputsStream, outputsWaiting } from './create-outputs-stream.ts'
