export { buildBundle, inspectBundle } from './build-bundle.ts'
export { extractBundle } from './extract-bundle.ts'
export { generateTypes } from './generate-types.ts'
export {
  type BundleSource,
  type CheckOptions,
  type CheckResult,
  ingestBundle,
  type IngestResult,
} from './ingest/ingest-bundle.ts'
export { type BundleLimits, DEFAULT_LIMITS } from './limits.ts'
export type {
  EnumDescription,
  FieldDescription,
  MessageDescription,
  TypeDescriptions,
} from './messages/describe-types.ts'
export { type MessageTypes, openMessageTypes } from './messages/open-message-types.ts'
export { readProtoComments } from './messages/read-proto-comments.ts'
export { readBundleFiles } from './read-bundle-files.ts'
export { stripBundle } from './stripper/strip-bundle.ts'
export { writePythonModules } from './python/write-python-modules.ts'
