/** Metadata that the engine itself reads; everything else is the caller's and the handlers'. */

/** Which requests go first where not all can, the first one first. */
export const PRIORITIES = ['high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

/** Of a request: one of `PRIORITIES`. */
export const PRIORITY_METADATA = 'x-krt-priority'
/** Of a failure: when the same request may succeed, in milliseconds. */
export const RETRY_AFTER_METADATA = 'retry-after-ms'

/** @returns null for what is no priority; `normal` where nothing is said. */
export function readPriority(metadata: Readonly<Record<string, string>>): Priority | null {
  const given = metadata[PRIORITY_METADATA]
  return given === undefined
    ? 'normal'
    : (PRIORITIES.find((priority) => priority === given) ?? null)
}
