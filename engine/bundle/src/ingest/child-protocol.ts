/** What passes between `ingestBundle` and its child process: one job as an argument, one answer on stdout. */
import { BundleFacts, KrtIssue } from '@kre/contracts'
import { z } from 'zod'

export const ValidatorJob = z.object({
  source: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('stdin') }),
    z.object({ kind: z.literal('file'), path: z.string() }),
    z.object({
      kind: z.literal('directory'),
      path: z.string(),
      /** Absolute paths. */
      leaveOut: z.array(z.string()),
    }),
  ]),
  /** A folder of this job's own; the parent removes it. */
  scratch: z.string(),
  /** Null = validate only. */
  archive: z.string().nullable(),
  versionName: z.string().nullable(),
  strict: z.boolean(),
  limits: z.record(z.string(), z.number()),
})
export type ValidatorJob = z.infer<typeof ValidatorJob>

export const ValidatorAnswer = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('accepted'),
    /** Null when no archive was asked for. */
    archive: z.object({ digest: z.string(), bytes: z.number() }).nullable(),
    facts: BundleFacts,
    issues: z.array(KrtIssue),
  }),
  z.object({ kind: z.literal('rejected'), issues: z.array(KrtIssue) }),
  /** The machine failed, not the bundle. */
  z.object({ kind: z.literal('fault'), code: z.string(), message: z.string() }),
])
export type ValidatorAnswer = z.infer<typeof ValidatorAnswer>
