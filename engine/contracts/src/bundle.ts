/** What the engine knows of a validated bundle: the facts that cross the validator's process boundary. */
import { z } from 'zod'
import { KrtManifest } from './manifest/graph.ts'
import { KrtIssue } from './manifest/issue.ts'

/** One rpc of the bundle's `service Entrypoint`. */
export const EntrypointMethod = z.object({
  /** `/<package>.Entrypoint/<rpc>` */
  path: z.string(),
  rpc: z.string(),
  /** Full names without a leading dot, for example `digits.Image`. */
  requestType: z.string(),
  responseType: z.string(),
  /** `returns (stream …)`; absent = one answer. */
  serverStreaming: z.boolean().optional(),
  /** Id of the workflow it feeds; null = declared but unused, answers UNIMPLEMENTED. */
  workflow: z.string().nullable(),
})
export type EntrypointMethod = z.infer<typeof EntrypointMethod>

export const BundleFacts = z.object({
  manifest: KrtManifest,
  methods: z.array(EntrypointMethod),
  /** google.protobuf.FileDescriptorSet with the closure of the entrypoint's proto, base64. */
  descriptorSet: z.string(),
  hasDoc: z.boolean(),
  dashboards: z.array(z.string()),
  /** Paths of all regular files, sorted. */
  files: z.array(z.string()),
  /** Warnings and notes of the validator, kept with the version; absent = none were kept. */
  issues: z.array(KrtIssue).optional(),
})
export type BundleFacts = z.infer<typeof BundleFacts>
