/** One finding about a bundle. The same shape in the CLI, GraphQL, `Version.issues` and the UI. */
export type KrtIssue = {
  /** Rule id, for example `SUBSCRIPTION_UNKNOWN`. */
  code: string
  level: 'error' | 'warning' | 'info'
  message: string
  /** Path inside the bundle, for example `kre.yaml`; empty for the bundle as a whole. */
  file: string
  /** From 1; 0 where a position means nothing (an archive rule). */
  line: number
  column: number
  /** Place in the document, for example `workflows[0].nodes[1].name`; empty outside the manifest. */
  path: string
  /** What to do about it. */
  hint?: string
}

/** `kre.yaml:31:15 error SUBSCRIPTION_UNKNOWN node "score": … (did you mean "prepare"?)` */
export function formatIssue(issue: KrtIssue): string {
  const place = issue.line > 0 ? `${issue.file}:${issue.line}:${issue.column}` : issue.file
  const hint = issue.hint === undefined ? '' : ` (${issue.hint})`
  return `${place === '' ? '' : `${place} `}${issue.level} ${issue.code} ${issue.message}${hint}`
}
