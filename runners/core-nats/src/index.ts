export { type AccessSource, createAccessSource } from './access-source.ts'
export {
  openCoreConnection,
  type CoreConnection,
  type CoreEvents,
  type CoreOptions,
} from './core-connection.ts'
export { isNoListener, openInbox, parseAnswer, type Inbox } from './inbox.ts'
export { allocateMessage, garbageCollector } from './large-buffers.ts'
export { bytesOf, type Data } from './outgoing.ts'
export type { CoreMessage } from './parser.ts'
export type { CoreSubscription } from './subscriptions.ts'
export type { ClaimTransport } from './payload/answers.ts'
export {
  createClaimStore,
  inlineBytesMax,
  type ClaimOwner,
  type ClaimStore,
} from './payload/claim-store.ts'
export { compress, decompress, isWorthCompressing } from './payload/compression.ts'
export {
  isPlainPayload,
  packPayload,
  type PayloadForm,
  unpackPayload,
} from './payload/payload-form.ts'
