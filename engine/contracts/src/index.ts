export * from './bundle.ts'
export * from './bundle-parts.ts'
export * from './engine-status.ts'
export * from './envelope/envelope.ts'
export * from './envelope/metadata.ts'
export { ProtoReader, ProtoWriter } from './envelope/protobuf.ts'
export * from './errors.ts'
export * from './events.ts'
export * from './histogram-bounds.ts'
export * from './in-flight.ts'
export * from './launch.ts'
export * from './log-batch.ts'
export * from './manifest/graph.ts'
export * from './manifest/issue.ts'
export * from './messages.ts'
export { createNameHash, fnv1a } from './name-hash.ts'
export * from './names.ts'
export * from './nats-manager.ts'
export * from './message-samples.ts'
export * from './parse-json.ts'
export * from './placement.ts'
export * from './release.ts'
export * from './request-messages.ts'
export * from './start-stage.ts'
export * from './target.ts'
export * from './units.ts'
export * from './version-status.ts'
export type { EntrypointRpc, EntrypointService } from './manifest/check-entrypoint.ts'
export {
  resolveRunner,
  type ImageRules,
  type Runner,
  type RunnerResolution,
} from './manifest/image.ts'
export type { ModelFacts } from './manifest/check-models.ts'
export { NO_TENSORS, TensorMapping, type TensorField } from './manifest/tensors.ts'
export { ISSUE_CODES, type IssueCode } from './manifest/issue-codes.ts'
export { krtJsonSchema } from './manifest/krt-json-schema.ts'
export {
  parseManifest,
  type ManifestContext,
  type ManifestResult,
} from './manifest/parse-manifest.ts'
export { readEntrypointProto } from './manifest/read-entrypoint-proto.ts'
export { slug } from './manifest/slug.ts'
export { nodeFields, toYaml, workflowFields } from './manifest/to-yaml.ts'
export { isReadableYaml, MANIFEST_BYTES_MAX } from './manifest/yaml-guard.ts'
export { escapeUnprintable, spellOut } from './manifest/escape-unprintable.ts'
export { spellBytes } from './spell-bytes.ts'
