/** Exit codes of the process (sysexits.h). */
export const EXIT = {
  /** Drained. */
  ok: 0,
  /** User code ended the process. */
  software: 70,
  /** The bundle's code can't be loaded: starting again gives the same. */
  config: 78,
} as const
