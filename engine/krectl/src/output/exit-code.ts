import { CommanderError } from 'commander'
import { KreError } from '@kre/contracts'

/** 0 done, 1 refused or failed, 2 wrong usage, 69 no engine to talk to (sysexits.h, EX_UNAVAILABLE), 130 interrupted. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 69, interrupted: 130 } as const

/** Wrong words on the command line. */
export class UsageError extends KreError {
  override name = 'UsageError'
  constructor(message: string, options?: ErrorOptions) {
    super('invalid-argument', message, {}, options)
  }
}

/** Ctrl-C, where it is read and not sent. */
export class Interrupted extends KreError {
  override name = 'Interrupted'
  constructor() {
    super('cancelled', 'interrupted')
  }
}

/** No engine answers. */
export class EngineUnreachable extends KreError {
  override name = 'EngineUnreachable'
  constructor(message: string, options?: ErrorOptions) {
    super('unavailable', message, {}, options)
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof EngineUnreachable) return EXIT.unreachable
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  return EXIT.failed
}
