import type { CompileSettings } from '../compile.ts'

export const sampleSettings: CompileSettings = {
  requestTimeoutMs: 30_000,
  payloadBytesMax: 1024,
  entrypointWorkers: 1,
  configKey: Buffer.alloc(32, 1),
  fuse: false,
  corsOrigins: [],
  reflection: true,
  memoryBytesMax: null,
  resolveRunner: () => 'typescript',
}
