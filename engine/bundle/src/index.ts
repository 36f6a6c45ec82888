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
export { readBundleFiles } from './read-bundle-files.ts'
export { writePythonModules } from './python/write-python-modules.ts'
