import type { Logger } from '@kre/service-kit'
import type { Store } from '@kre/store'

export type LogBounds = {
  readonly ageMs: number
  /** Per runtime: see `LogUsage.bytes`. */
  readonly bytesMax: number
}

/**
 * Removes each runtime's oldest log lines beyond its bounds; its own limits count where they are narrower than those
 * for all. What fails is left to the next time.
 */
export async function keepLogsBounded(
  deps: { store: Pick<Store, 'runtimes' | 'logRetention'>; logger: Logger; now: () => Date },
  bounds: LogBounds,
): Promise<void> {
  const { store, logger, now } = deps
  try {
    for (const { id: runtimeId } of await store.runtimes.list()) {
      const own = await store.logRetention.limits(runtimeId)
      const bytesMax = Math.min(own.bytesMax ?? Infinity, bounds.bytesMax)
      const ageMs = Math.min(own.ageMs ?? Infinity, bounds.ageMs)
      const olderThan = new Date(now().getTime() - ageMs)
      const { byAge, bySize, bytes } = await store.logRetention.trim(runtimeId, {
        olderThan,
        bytesMax,
      })
      if (byAge + bySize > 0)
        logger.info({ runtimeId, byAge, bySize, bytes, bytesMax }, 'oldest log lines removed')
    }
  } catch (error) {
    logger.warn({ err: error }, 'old log lines not removed')
  }
}
