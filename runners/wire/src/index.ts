export { openFrameChannel, type FrameChannel } from './frame-channel.ts'
export { createFrameDecoder, FRAME_BYTES_MAX, framePrefix } from './frame-decoder.ts'
export {
  decodeWorkerFrame,
  encodeWorkerFrame,
  FRAME_LAYOUT,
  WORKER_PROTOCOL,
  type FrameKind,
  type WorkerFrame,
} from './worker-frame.ts'
