import { DAY_MS } from '@kre/contracts'
import type { Logger } from '@kre/service-kit'

/** Links go by days: more often would only add notices. */
const EVERY_MS = DAY_MS

type KeepAuditDeps = {
  retainAudit: (olderThan: Date) => Promise<number>
  now: () => Date
  logger: Logger
}

/** Removes old links of the audit log at once and once a day, until it is disposed of. What fails is tried again then. */
export function keepAuditBounded(deps: KeepAuditDeps, ageMs: number): AsyncDisposable {
  const { retainAudit, now, logger } = deps
  let running: Promise<void> = Promise.resolve()

  async function sweep(): Promise<void> {
    try {
      await retainAudit(new Date(now().getTime() - ageMs))
    } catch (error) {
      logger.error({ err: error }, 'old links of the audit log were not removed')
    }
  }
  function begin(): void {
    running = running.then(sweep)
  }

  begin()
  const timer = setInterval(begin, EVERY_MS).unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
