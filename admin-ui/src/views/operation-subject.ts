/** What a question about a version has to know. */
export type OperationSubject = {
  readonly runtimeId: string
  readonly versionName: string
  /** Where callers are; empty = nowhere yet. */
  readonly runtimeAddress: string
  /** What publishing replaces. */
  readonly publishedName: string | null
}
