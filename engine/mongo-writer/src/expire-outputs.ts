import type { Logger } from '@kre/service-kit'
import type { OutputStore } from '@kre/store'
import { pause } from './timing/pause.ts'

export type Retention = {
  /** Age at which logs and measurements go. */
  ageMs: number
  everyMs: number
}

/** Removes what is too old, at once and then regularly, until `signal` is aborted. A failure is left to the next time. */
export async function expireOutputs(
  deps: { outputs: Pick<OutputStore, 'expire'>; logger: Logger; now: () => Date },
  retention: Retention,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const removed = await deps.outputs.expire(new Date(deps.now().getTime() - retention.ageMs))
      if (removed > 0) deps.logger.info({ removed }, 'old logs and measurements removed')
    } catch (error) {
      deps.logger.warn({ err: error }, 'old logs and measurements not removed')
    }
    await pause(retention.everyMs, signal)
  }
}
