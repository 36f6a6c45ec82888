/** A release is intent: which versions of a runtime shall run, and which one is published. Append-only. */
export type Release = {
  readonly runtimeId: string
  /** 1, 2, 3 …; the highest is in force. Writing a release compares it with the one it was made from. */
  readonly generation: number
  readonly running: readonly RunningVersion[]
  /** One of `running`, or null. */
  readonly published: string | null
  readonly cause: ReleaseCause
}

export type RunningVersion = {
  readonly version: string
  /** Counts changes of this version's configuration; a change rolls its processes. */
  readonly configGeneration: number
}

export type ReleaseCause = {
  readonly operation: 'start' | 'stop' | 'publish' | 'unpublish' | 'configure' | 'create-runtime'
  readonly version: string | null
  /** E-mail of the user. */
  readonly by: string
  readonly comment: string
  readonly at: Date
}

/** The release before any: nothing runs. */
export function emptyRelease(runtimeId: string, by: string, at: Date): Release {
  return {
    runtimeId,
    generation: 0,
    running: [],
    published: null,
    cause: { operation: 'create-runtime', version: null, by, comment: '', at },
  }
}
