/** One finding of the validator, as the API tells it. */
export type KrtIssue = {
  readonly code: string
  readonly level: 'error' | 'warning' | 'info'
  readonly message: string
  readonly file: string
  /** From 1; 0 where a position means nothing. */
  readonly line: number
  readonly column: number
  readonly path: string
  readonly hint?: string | null
}
