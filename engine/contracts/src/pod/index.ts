/**
 * What the program that prepares a pod needs of the contracts: a pod waits until it has loaded them, so none of it is a
 * schema of the library.
 */
export * from '../bundle-parts.ts'
export * from '../errors.ts'
export { escapeUnprintable } from '../manifest/escape-unprintable.ts'
export type { KrtIssue } from '../manifest/issue.ts'
export { bundlePart, BUNDLES_STREAM } from '../names.ts'
export { parseJson } from '../parse-json.ts'
export { EntrypointLaunch, NatsAccess, NatsRenewal, NodeLaunch } from '../runtime/shapes.ts'
export * from '../runtime/shape.ts'
export * from '../units.ts'
