import { z } from 'zod'

/** One finding about a bundle. The same shape in the CLI, GraphQL, `Version.issues` and the UI. */
export const KrtIssue = z.object({
  /** Rule id, for example `SUBSCRIPTION_UNKNOWN`. */
  code: z.string(),
  level: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  /** Path inside the bundle, for example `kre.yaml`; empty for the bundle as a whole. */
  file: z.string(),
  /** From 1; 0 where a position means nothing (an archive rule). */
  line: z.number(),
  column: z.number(),
  /** Place in the document, for example `workflows[0].nodes[1].name`; empty outside the manifest. */
  path: z.string(),
  /** What to do about it. */
  hint: z.string().optional(),
})
export type KrtIssue = z.infer<typeof KrtIssue>

/** `kre.yaml:31:15 error SUBSCRIPTION_UNKNOWN node "score": … (did you mean "prepare"?)` */
export function formatIssue(issue: KrtIssue): string {
  const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file
  const hint = issue.hint === undefined ? '' : ` (${issue.hint})`
  return `${place === '' ? '' : `${place} `}${issue.level} ${issue.code} ${issue.message}${hint}`
}
